"""Shell texts that run in the guests: first root, boot, servers, mounts."""

from __future__ import annotations

from string import Template

SERVER_ADDRESS = "10.77.0.1"
PORT_NAME = "lab"
"""The channel by which a guest's agent talks to this machine."""

FIRST_ROOT = Template("""\
#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/sbin:/usr/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $modules; do modprobe $$module; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=512000,cache=loose root /ro
mount -t tmpfs tmpfs /rw
mkdir -p /rw/up /rw/work /new
mount -t overlay -o lowerdir=/ro,upperdir=/rw/up,workdir=/rw/work overlay /new
mkdir -p /new/lab /new/lib/modules
mount -t 9p -o trans=virtio,version=9p2000.L,rw,msize=512000,cache=none lab /new/lab
mount --move /proc /new/proc
mount --move /sys /new/sys
mount --move /dev /new/dev
exec switch_root /new /bin/bash /lab/boot.sh
""")

BOOT = Template("""\
export PATH=$path
mount --bind $modules/lib/modules /lib/modules
mkdir -p /dev/shm /dev/pts /run /mnt/share
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
hostname $name
ip link set lo up
ip addr add $address/24 dev eth0
ip link set eth0 up
( $setup
) > /lab/setup.log 2>&1
echo $$? > /run/setup.code
$python -B $agent $port
echo "the agent ended with $$?"
echo o > /proc/sysrq-trigger
sleep infinity
""")

# A disk of its own: what was not made durable is gone when the server loses power,
# and what was is there when it comes back.
_DISK = """
modprobe virtio_blk; modprobe ext4
mkdir -p /srv /var/lib/nfs/rpc_pipefs
mount -t ext4 -o errors=remount-ro /dev/vda /srv
mkdir -p /srv/share /srv/recovery
chmod 777 /srv/share
"""

SERVE_NFS = Template(
    _DISK
    + """
rm -rf /var/lib/nfs/v4recovery; ln -s /srv/recovery /var/lib/nfs/v4recovery
modprobe nfsd
mount -t nfsd nfsd /proc/fs/nfsd
mount -t rpc_pipefs rpc /var/lib/nfs/rpc_pipefs
echo $lease > /proc/fs/nfsd/nfsv4leasetime
echo $lease > /proc/fs/nfsd/nfsv4gracetime
echo /srv/recovery > /proc/fs/nfsd/nfsv4recoverydir
echo '/srv/share *(rw,sync,fsid=0,no_root_squash,no_subtree_check,insecure)' > /etc/exports
rpcbind
exportfs -ra
rpc.mountd
rpc.nfsd $threads
"""
)

RESTART_NFS = "rpc.nfsd 0; sleep 1; rpc.nfsd 4"
RESTART_SMB = "pkill -9 smbd; sleep 1; smbd -D -s /run/smb/smb.conf"

# What the server is spared in scenarios: emulated, it is what all nodes wait for. It
# looks no name up in every case, and keeps neither DOS attributes nor locks of its own
# for programs that are not there.
SPARED_SMB = """case sensitive = yes
store dos attributes = no
kernel share modes = no
"""

SERVE_SMB = Template(
    _DISK
    + """
mkdir -p /run/samba /run/smb/private /run/smb/lock /run/smb/state /run/smb/cache
cat > /run/smb/smb.conf <<'CONF'
[global]
server role = standalone server
map to guest = Bad User
private dir = /run/smb/private
lock directory = /run/smb/lock
state directory = /run/smb/state
cache directory = /run/smb/cache
log file = /run/smb/log
pid directory = /run/samba
disable netbios = yes
smb ports = 445
load printers = no
printing = bsd
disable spoolss = yes
[share]
path = /srv/share
guest ok = yes
read only = no
force user = root
${more}CONF
smbd -D -s /run/smb/smb.conf
"""
)

MOUNTS = {
    "nfs": Template(
        "modprobe nfsv4\n"
        f"mount -t nfs4 -o vers=4.2$options {SERVER_ADDRESS}:/ /mnt/share"
    ),
    # Without `nolock` the client wants rpc.statd on both sides; locks then stay on the
    # client and keep out nobody else.
    "nfs3": Template(
        "modprobe nfsv3\n"
        f"mount -t nfs -o vers=3,proto=tcp,nolock$options {SERVER_ADDRESS}:/srv/share "
        "/mnt/share"
    ),
    "smb": Template(
        "modprobe cifs\n"
        f"mount -t cifs -o guest,vers=3.1.1$options //{SERVER_ADDRESS}/share /mnt/share"
    ),
}
