"""Where results go, and when state may be written: a step's new state takes the place of the old one.

The old state is read by kernels that may come later, so the write is put after them. Where a kernel reads the
old state otherwise than element by element, or where something can still fail, the new state is made in the
arena and copied at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from slopewise.compiler.loop import Loop
from slopewise.compiler.native.emission.views import Place, Storage, View
from slopewise.compiler.native.fusion import Fusion, Group, Kind
from slopewise.compiler.native.launches import Launch, Lowering
from slopewise.engine.graph import Symbol


class OutputPlaces:
    """Where the outputs of a graph are made: in their places where that can be, else copied there.

    Made before the launches, as it says where these write.
    """

    def __init__(self, fusion: Fusion, lowering: Lowering, loop: Loop) -> None:
        self.fusion = fusion
        self.graph = fusion.graph
        self.loop = loop
        self._lowering = lowering
        self._late_copies: list[tuple[int, Symbol]] = []
        for number, symbol in enumerate(self.graph.outputs):
            storage = fusion.views[symbol].storage
            if symbol in fusion.producer and storage.place is Place.ARENA:
                storage.place, storage.index = Place.OUTPUT, number
            else:
                self._late_copies.append((number, symbol))

    def copies(self) -> Iterable[Launch]:
        """Return the launches that copy what is not made in its place."""
        for number, symbol in self._late_copies:
            view = self.fusion.views[symbol]
            target = Storage(Place.OUTPUT, number, symbol.dtype, view.size)
            source = view.storage
            moved = source.place is Place.INPUT and source.index in self.loop.carried.values()
            if moved and self.loop.carried.get(number) != source.index:
                # another output may take its place before it is read
                between = Storage(Place.ARENA, -1, symbol.dtype, view.size)
                yield self._lowering.copy(view, between, symbol, f"copy.{number}")
                view = View.whole(between, symbol.shape)
            yield self._lowering.copy(view, target, symbol, f"output.{number}")

    def guard(self, launches: Sequence[Launch], launch_of: Mapping[Group, Launch]) -> list[Launch]:
        """Let state that is carried on be written after all have read it, and after what can fail.

        Returns
        -------
        further launches, which copy what must be made elsewhere first
        """
        added: list[Launch] = []
        for output, entry in self.loop.carried.items():
            writer = next(
                (launch for launch in launches for s in launch.writes if _is(s, Place.OUTPUT, output)), None
            )
            if writer is None:
                continue
            readers = [
                launch
                for launch in launches
                if launch is not writer and any(_is(s, Place.INPUT, entry) for s in launch.reads)
            ]
            before = all_before(writer)
            if any(writer in all_before(reader) for reader in readers) or not self._may_write_over(
                writer, output, entry, launch_of
            ):
                added.append(self._write_later(writer, output, readers))
            else:
                writer.after.update(reader for reader in readers if reader not in before)
        return [*added, *self._guard_from_failures(launches)]

    def _guard_from_failures(self, launches: Sequence[Launch]) -> list[Launch]:
        """Let what is carried keep its place until nothing can fail any more, which comes first."""
        risks = [launch for launch in launches if launch.can_fail]
        risky = set(risks).union(*map(all_before, risks))
        copies = []
        for output in self.loop.carried:
            for writer in risky:
                if any(_is(storage, Place.OUTPUT, output) for storage in writer.writes):
                    copies.append(self._write_later(writer, output, risks))
                    break
        return copies

    def _may_write_over(
        self, writer: Launch, output: int, entry: int, launch_of: Mapping[Group, Launch]
    ) -> bool:
        """Tell whether a launch that makes an output can read, in the same place, the input that it follows.

        It can if it reads an element only where, and before, it writes that element.
        """
        if not any(_is(storage, Place.INPUT, entry) for storage in writer.reads):
            return True
        if writer.name == f"output.{output}":
            return self.fusion.views[self.graph.outputs[output]].is_contiguous
        group = next(group for group, launch in launch_of.items() if launch is writer)
        made = self.graph.outputs[output]
        if group.kind is Kind.OTHER or made not in group.maps:
            return False
        views = self.fusion.views
        for node in group.nodes:
            for symbol in node.operands:
                view = views[symbol]
                if not _is(view.storage, Place.INPUT, entry):
                    continue
                same = view.broadcast(group.domain).strides == views[made].broadcast(group.domain).strides
                if (
                    node.primitive.name == "matmul"
                    or not same
                    or view.offset
                    or view.size != views[made].size
                ):
                    return False
        return True

    def _write_later(self, writer: Launch, output: int, readers: list[Launch]) -> Launch:
        """Let an output be made elsewhere and copied to its place when all else is done."""
        place = next(s for s in writer.writes if _is(s, Place.OUTPUT, output))
        place.place, place.index = Place.ARENA, -1
        symbol = self.graph.outputs[output]
        target = Storage(Place.OUTPUT, output, place.dtype, place.size)
        copy = self._lowering.copy(View.whole(place, symbol.shape), target, symbol, f"later.{output}")
        copy.after = {writer, *readers}
        return copy


def _is(storage: Storage, place: Place, index: int) -> bool:
    return storage.place is place and storage.index == index


def depend_on_writers(launches: Sequence[Launch]) -> None:
    """Let each launch come after those that make what it reads."""
    writer = {storage: launch for launch in launches for storage in launch.writes}
    for launch in launches:
        launch.after = {writer[s] for s in launch.reads if s in writer and writer[s] is not launch}


def all_before(launch: Launch) -> set[Launch]:
    """Return the launches that must have run, also indirectly."""
    found: set[Launch] = set()
    pending = list(launch.after)
    while pending:
        earlier = pending.pop()
        if earlier not in found:
            found.add(earlier)
            pending.extend(earlier.after)
    return found
