/* A folder seen through a mount that remembers, as an NFS client does.

   stale_share FOLDER MOUNT SECONDS PIECE EVERY

   What this mount saw of a name (that it is there, that it is not, its size and times)
   and of a listing is believed for so many seconds, unless this mount itself changes the
   folder. Opening a file makes its attributes fresh; opening a folder makes the names in
   it fresh, but not its listing. A rename cannot be told not to replace (EINVAL). Locks
   by flock are the mount's own: another mount of the same folder grants the same one.
   What lies in a folder that another mount removed is ESTALE. Reads and writes move
   PIECE bytes at most, if that is not 0; of opening, reading, writing and syncing every
   EVERYth call is interrupted (EINTR). One thread: no two calls at once. */

#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS 65536

struct memory {
    struct memory *next;
    char *path;
    /* as a name in its folder */
    int is_known, error;
    double known_at;
    uint64_t folder_age;
    struct stat facts;
    /* as a folder */
    uint64_t age;
    struct stat *kinds;
    char **names;
    size_t count;
    int is_listed;
    double listed_at;
};

static struct memory *table[BUCKETS];
static const char *backing;
static double believed_seconds;
static size_t piece;
static unsigned long every, calls;
static uint64_t epoch;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static struct memory *memory_of(const char *path)
{
    uint32_t hash = 2166136261u;
    for (const char *p = path; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    struct memory **at = &table[hash % BUCKETS];
    for (struct memory *m = *at; m; m = m->next)
        if (strcmp(m->path, path) == 0)
            return m;
    struct memory *m = calloc(1, sizeof *m);
    m->path = strdup(path);
    m->next = *at;
    return *at = m;
}

static struct memory *folder_of(const char *path)
{
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    slash[slash == above ? 1 : 0] = 0;
    return memory_of(above);
}

static void forget_listing(struct memory *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->names[i]);
    m->count = 0;
    m->is_listed = 0;
}

/* This mount changed something: it knows nothing of that folder any more. */
static void changed(const char *path)
{
    struct memory *above = folder_of(path);
    above->age++;
    above->is_known = 0;
    forget_listing(above);
    memory_of(path)->is_known = 0;
}

static const char *real(const char *path, char *into)
{
    snprintf(into, PATH_MAX, "%s%s", backing, path);
    return into;
}

/* The error of a call on a name; what was believed of the name is wrong then. */
static int failed(const char *path)
{
    int number = errno;
    char above[PATH_MAX];
    struct stat found;
    if (number != ENOENT)
        return -number;
    memory_of(path)->is_known = 0;
    real(path, above);
    *strrchr(above, '/') = 0;
    return lstat(above, &found) == 0 ? -ENOENT : -ESTALE;
}

static int look(const char *path, struct stat *facts, struct fuse_file_info *fi)
{
    char at[PATH_MAX];
    struct memory *m = memory_of(path);
    uint64_t age = epoch + (path[1] ? folder_of(path)->age : 0);
    (void)fi;
    if (!m->is_known || m->folder_age != age || now() - m->known_at >= believed_seconds) {
        m->error = lstat(real(path, at), &m->facts) == 0 ? 0 : errno;
        m->known_at = now();
        m->folder_age = age;
        m->is_known = m->error == 0 || m->error == ENOENT;
    }
    *facts = m->facts;
    return -m->error;
}

static int is_interrupted(void)
{
    return every && ++calls % every == 0;
}

static int open_file(const char *path, struct fuse_file_info *fi)
{
    char at[PATH_MAX];
    if (is_interrupted())
        return -EINTR;
    memory_of(path)->is_known = 0;
    int fd = open(real(path, at), fi->flags & ~O_NOFOLLOW);
    if (fd < 0) {
        int number = failed(path);
        return number == -ENOENT ? -ESTALE : number;
    }
    fi->fh = fd;
    fi->direct_io = 1;
    return 0;
}

static int create_file(const char *path, mode_t mode, struct fuse_file_info *fi)
{
    char at[PATH_MAX];
    int fd = open(real(path, at), fi->flags | O_CREAT, mode);
    changed(path);
    if (fd < 0)
        return failed(path);
    fi->fh = fd;
    fi->direct_io = 1;
    return 0;
}

static size_t part_of(size_t size)
{
    return piece && size > piece ? piece : size;
}

static int read_file(const char *path, char *data, size_t size, off_t offset,
                     struct fuse_file_info *fi)
{
    if (is_interrupted())
        return -EINTR;
    ssize_t done = pread(fi->fh, data, part_of(size), offset);
    (void)path;
    return done < 0 ? -errno : (int)done;
}

static int write_file(const char *path, const char *data, size_t size, off_t offset,
                      struct fuse_file_info *fi)
{
    if (is_interrupted())
        return -EINTR;
    ssize_t done = pwrite(fi->fh, data, part_of(size), offset);
    memory_of(path)->is_known = 0;
    return done < 0 ? -errno : (int)done;
}

static int close_file(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    close(fi->fh);
    return 0;
}

static int sync_file(const char *path, int data_only, struct fuse_file_info *fi)
{
    (void)path;
    if (is_interrupted())
        return -EINTR;
    return (data_only ? fdatasync(fi->fh) : fsync(fi->fh)) == 0 ? 0 : -errno;
}

static int cut_file(const char *path, off_t size, struct fuse_file_info *fi)
{
    char at[PATH_MAX];
    memory_of(path)->is_known = 0;
    int done = fi ? ftruncate(fi->fh, size) : truncate(real(path, at), size);
    return done == 0 ? 0 : failed(path);
}

static int open_folder(const char *path, struct fuse_file_info *fi)
{
    char at[PATH_MAX];
    struct memory *m = memory_of(path);
    int fd = open(real(path, at), O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        int number = failed(path);
        return number == -ENOENT ? -ESTALE : number;
    }
    m->age++; /* the names in it are asked for anew; its listing is not */
    fi->fh = fd;
    return 0;
}

static int list_afresh(struct memory *m, int fd)
{
    DIR *stream = fdopendir(dup(fd));
    struct dirent *entry;
    size_t room = 0;
    if (!stream)
        return -errno;
    rewinddir(stream);
    forget_listing(m);
    while ((entry = readdir(stream))) {
        if (m->count == room) {
            room = room ? room * 2 : 64;
            m->names = realloc(m->names, room * sizeof *m->names);
            m->kinds = realloc(m->kinds, room * sizeof *m->kinds);
        }
        struct stat kind = {.st_mode = DTTOIF(entry->d_type), .st_ino = entry->d_ino};
        m->kinds[m->count] = kind;
        m->names[m->count++] = strdup(entry->d_name);
    }
    closedir(stream);
    m->is_listed = 1;
    m->listed_at = now();
    return 0;
}

static int list(const char *path, void *into, fuse_fill_dir_t fill, off_t offset,
                struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
    struct memory *m = memory_of(path);
    (void)offset, (void)flags;
    if (!m->is_listed || now() - m->listed_at >= believed_seconds) {
        int number = list_afresh(m, fi->fh);
        if (number)
            return number;
    }
    for (size_t i = 0; i < m->count; i++) {
        if (fill(into, m->names[i], &m->kinds[i], 0, 0))
            break;
    }
    return 0;
}

static int make_folder(const char *path, mode_t mode)
{
    char at[PATH_MAX];
    int done = mkdir(real(path, at), mode);
    int number = done == 0 ? 0 : failed(path);
    changed(path);
    forget_listing(memory_of(path));
    return number;
}

static int remove_file(const char *path)
{
    char at[PATH_MAX];
    int number = unlink(real(path, at)) == 0 ? 0 : failed(path);
    changed(path);
    return number;
}

static int remove_folder(const char *path)
{
    char at[PATH_MAX];
    int number = rmdir(real(path, at)) == 0 ? 0 : failed(path);
    changed(path);
    forget_listing(memory_of(path));
    return number;
}

static int rename_file(const char *old, const char *new, unsigned int flags)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct stat found;
    if (flags)
        return -EINVAL;
    if (lstat(real(old, from), &found) == 0 && S_ISDIR(found.st_mode))
        epoch++;
    int number = 0;
    if (rename(from, real(new, to)) != 0) {
        number = errno == ENOENT ? failed(old) : -errno;
        if (number == -ENOENT)
            number = failed(new) == -ESTALE ? -ESTALE : -ENOENT;
    }
    changed(old);
    changed(new);
    return number;
}

static int link_file(const char *old, const char *new)
{
    char from[PATH_MAX], to[PATH_MAX];
    int number = link(real(old, from), real(new, to)) == 0 ? 0 : failed(new);
    changed(new);
    memory_of(old)->is_known = 0;
    return number;
}

static int dress(const char *path, const struct timespec times[2],
                 struct fuse_file_info *fi)
{
    char at[PATH_MAX];
    memory_of(path)->is_known = 0;
    int done = fi ? futimens(fi->fh, times)
                  : utimensat(AT_FDCWD, real(path, at), times, AT_SYMLINK_NOFOLLOW);
    return done == 0 ? 0 : failed(path);
}

static int permit(const char *path, mode_t mode, struct fuse_file_info *fi)
{
    char at[PATH_MAX];
    memory_of(path)->is_known = 0;
    int done = fi ? fchmod(fi->fh, mode) : chmod(real(path, at), mode);
    return done == 0 ? 0 : failed(path);
}

static int tell_room(const char *path, struct statvfs *found)
{
    (void)path;
    return statvfs(backing, found) == 0 ? 0 : -errno;
}

static void *begin(struct fuse_conn_info *connection, struct fuse_config *config)
{
    (void)connection;
    /* All that is remembered is remembered here, by the rules above. */
    config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
    config->use_ino = 1;
    return NULL;
}

static const struct fuse_operations operations = {
    .init = begin,
    .getattr = look,
    .open = open_file,
    .create = create_file,
    .read = read_file,
    .write = write_file,
    .release = close_file,
    .fsync = sync_file,
    .truncate = cut_file,
    .opendir = open_folder,
    .readdir = list,
    .releasedir = close_file,
    .fsyncdir = sync_file,
    .mkdir = make_folder,
    .unlink = remove_file,
    .rmdir = remove_folder,
    .rename = rename_file,
    .link = link_file,
    .utimens = dress,
    .chmod = permit,
    .statfs = tell_room,
};

int main(int count, char *words[])
{
    if (count != 6) {
        fprintf(stderr, "stale_share FOLDER MOUNT SECONDS PIECE EVERY\n");
        return 64;
    }
    backing = words[1];
    believed_seconds = atof(words[3]);
    piece = strtoul(words[4], NULL, 10);
    every = strtoul(words[5], NULL, 10);
    umask(0);
    char *arguments[] = {words[0], words[2], "-f", "-s", "-o", "fsname=stale_share", NULL};
    return fuse_main(6, arguments, &operations, NULL);
}
