"""The checks of `verify`, one kind after the other, and what they found.

Nodes may be at work meanwhile: what lies at a place may have been delivered after its
records were read. So what is found there is a suspicion, until the ledgers have nothing
new to say of the place, no run promises anything there, and it is found again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from paxect_batch.model.errors import Exit
from paxect_batch.model.places import Place, Root
from paxect_batch.model.printed import Flaw
from paxect_batch.model.records import Fate, Record
from paxect_batch.relay import state
from paxect_batch.relay.scan import scan
from paxect_batch.report.checksums import (
    delivered_bytes,
    delivered_place,
    delivered_sha256,
    digest_in,
)
from paxect_batch.rules.naming import is_container, is_sidecar, sidecar_name
from paxect_batch.seams import Share
from paxect_core import reader
from paxect_core.errors import ContainerError, FileError
from paxect_core.results import DecodeResult

_READ_BYTES = 1 << 20
_SIDECAR_BYTES_MAX = 4096
ROUNDS_MAX = 5
"""How often a place is looked at again to which more was delivered meanwhile."""


class _Delivery(msgspec.Struct, frozen=True):
    """The newest delivery to one place."""

    at: str
    sha256: str
    size: int


class Verification:
    """The state of one verification."""

    def __init__(self, share: Share, *, threads: int) -> None:
        self._share = share
        self._threads = threads
        self._deliveries: dict[Place, _Delivery] = {}
        self._raw_of: dict[bytes, bytes] = {}
        self._torn: set[tuple[Place, int]] = set()
        self._suspects: dict[Place, list[Flaw]] = {}
        """What was found at places and is not confirmed."""
        self.findings: list[Flaw] = []
        self.checked: Counter[str] = Counter()

    def note_torn(self, ledger: Place, offset: int) -> None:
        """Take in that a line of a ledger is no record; it may be written just now."""
        self._torn.add((ledger, offset))

    def read_records(self, records: Iterable[Record]) -> None:
        """Compare records with each other, and keep what each place should hold."""
        for record in records:
            self.checked["records"] += 1
            if record.fate is not Fate.DELIVERED or record.target is None:
                continue
            self._compare_with_other_records(record)
            self._keep(record, record.target)

    def _keep(self, record: Record, target: Place) -> None:
        known = self._deliveries.get(target)
        if known is None or known.at <= record.at:
            self._deliveries[target] = _Delivery(
                record.at, delivered_sha256(record), delivered_bytes(record)
            )

    def _compare_with_other_records(self, record: Record) -> None:
        try:
            container = bytes.fromhex(record.container_sha256)
            raw = bytes.fromhex(record.raw_sha256)
        except ValueError:
            container, raw = b"", b""
        if len(container) != 32 or len(raw) != 32:
            self._contradiction(record, "its record holds no SHA-256")
        elif self._raw_of.setdefault(container, raw) != raw:
            self._contradiction(
                record, "two records give one container different contents"
            )

    def _contradiction(self, record: Record, detail: str) -> None:
        assert record.target is not None
        self._find(
            "ledger_contradiction",
            record.target,
            detail,
            f"compare the ledgers; this one is {record.node}/{record.run}",
            Exit.INTEGRITY,
        )

    def check_wire(self) -> None:
        """Read every container, and compare it with its sidecar and its records."""
        for entry in scan(self._share, Root.WIRE):
            self._check_on_wire(entry.place)

    def _check_on_wire(self, place: Place) -> None:
        container = _container_of(place)
        if container is not None:
            self._check_sidecar(place, container)
        elif is_container(place.name):
            self._check_container(place)

    def _check_sidecar(self, place: Place, container: Place) -> None:
        if self._share.look(container) is None and self._share.look(place) is not None:
            self._suspect(
                "orphaned_sidecar",
                place,
                "there is no container for this sidecar",
                "remove it, unless its container is still to come: no run does, and a "
                "file of that name would be set aside for it",
                Exit.UNFINISHED,
            )

    def _check_container(self, place: Place) -> None:
        try:
            result = self._read_container(place)
            sidecar = self._share.read(
                place.beside(sidecar_name(place.name)), _SIDECAR_BYTES_MAX
            )
        except FileNotFoundError:
            return  # a run took it meanwhile
        except ContainerError as error:
            self._suspect(
                error.code,
                place,
                str(error),
                "ask its sender to send it again",
                Exit(error.exit_code),
            )
            return
        except (OSError, FileError) as error:
            self._unreadable(place, error)
            return
        self.checked["containers"] += 1
        sha256 = str(result.container_sha256)
        if sidecar is None:
            self.checked["containers_without_sidecar"] += 1
        else:
            self._compare_with_sidecar(place, sha256, sidecar)
        raw = self._raw_of.get(bytes.fromhex(sha256))
        if raw is not None and raw.hex() != result.raw_sha256:
            self._differs(place, "its content is not what its record says")
        delivery = self._deliveries.get(place)
        if delivery is not None and delivery.sha256 != sha256:
            self._differs(place, "it is not the container that was recorded here")

    def _read_container(self, place: Place) -> DecodeResult:
        with self._share.open_source(place) as stream:
            return reader.verify(stream, threads=self._threads)

    def _compare_with_sidecar(self, place: Place, sha256: str, sidecar: bytes) -> None:
        told = digest_in(sidecar)
        if told != sha256:
            self._suspect(
                "checksum_mismatch",
                place,
                f"its SHA-256 is {sha256}, its sidecar says {told[:64]!r}",
                "ask its sender to send both again",
                Exit.INTEGRITY,
            )

    def check_delivered(self) -> None:
        """Read every delivered file that is still there."""
        for place, delivery in sorted(self._deliveries.items()):
            if place.root is Root.OUTBOX:
                self._check_delivered(place, delivery)

    def _check_delivered(self, place: Place, delivery: _Delivery) -> None:
        try:
            digest, size = self._digest(place)
        except FileNotFoundError:
            self.checked["delivered_files_taken"] += 1
        except OSError as error:
            self._unreadable(place, error)
        else:
            self.checked["delivered_files"] += 1
            if (digest, size) != (delivery.sha256, delivery.size):
                self._differs(place, "it is not the file that was delivered")

    def _digest(self, place: Place) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with self._share.open_source(place) as stream:
            while chunk := stream.read(_READ_BYTES):
                digest.update(chunk)
                size += len(chunk)
        return digest.hexdigest(), size

    def _differs(self, place: Place, detail: str) -> None:
        self._suspect(
            "differs_from_record",
            place,
            detail,
            "see who changed it, and have it sent again",
            Exit.INTEGRITY,
        )

    def _unreadable(self, place: Place, error: OSError | FileError) -> None:
        detail = getattr(error, "strerror", None) or str(error)
        self._suspect(
            "unreadable",
            place,
            f"reading it gave: {detail}",
            "see to its permissions and to the disk",
            Exit.SHARE,
        )

    def confirm(self, records: Callable[[], Iterable[Record]]) -> None:
        """Tell of what is found again; `records` reads them all anew."""
        checked = self.checked.copy()
        for _ in range(ROUNDS_MAX):
            if self._torn or self._suspects:
                self._confirm(records)
        self.checked = checked  # each place was counted once already

    def _confirm(self, records: Callable[[], Iterable[Record]]) -> None:
        suspects, self._suspects = self._suspects, {}
        torn, self._torn = self._torn, set()
        known = {place: self._delivery(place) for place in suspects}
        # In this order: what was published, and is promised no more, is recorded.
        promised = self._promised()
        for record in records():
            if (target := delivered_place(record)) is not None:
                self._keep(record, target)
        for ledger, offset in sorted(torn & self._torn):
            self._find_torn(ledger, offset)
        self._torn.clear()
        for place in suspects:
            if place not in promised:
                self._check_again(place, known[place])

    def _delivery(self, place: Place) -> _Delivery | None:
        """Return the newest delivery to a place; to its container's, for a sidecar."""
        return self._deliveries.get(_container_of(place) or place)

    def _promised(self) -> set[Place]:
        """Return all places at which a run may do what it promised."""
        found: set[Place] = set()
        for node in state.folders_in(self._share, state.state("intents")):
            for place in state.intents_of(self._share, node.name):
                intent = state.load_intent(self._share, place)
                for pledge in intent.pledges if intent is not None else ():
                    for each in (pledge.source, pledge.target):
                        found |= {each, each.beside(sidecar_name(each.name))}
        return found

    def _check_again(self, place: Place, known: _Delivery | None) -> None:
        if place.root is Root.WIRE:
            self._check_on_wire(place)
        else:
            self._check_delivered(place, self._deliveries[place])
        if self._delivery(place) == known:
            self.findings += self._suspects.pop(place, ())

    def _find_torn(self, ledger: Place, offset: int) -> None:
        self._find(
            "ledger_torn",
            ledger,
            f"the line at byte {offset} is no record",
            "a crash leaves one such line at most; the file that it spoke of is safe",
            Exit.UNFINISHED,
        )

    def _suspect(
        self, code: str, place: Place, detail: str, advice: str, exit_code: Exit
    ) -> None:
        flaw = Flaw(code, str(place), detail, advice, int(exit_code))
        self._suspects.setdefault(place, []).append(flaw)

    def _find(
        self, code: str, place: Place, detail: str, advice: str, exit_code: Exit
    ) -> None:
        self.findings.append(Flaw(code, str(place), detail, advice, int(exit_code)))


def _container_of(place: Place) -> Place | None:
    """Return the container whose sidecar it is; None if it is none."""
    if place.root is not Root.WIRE or not is_sidecar(place.name):
        return None
    return place.beside(place.name[: -len(sidecar_name(""))])
