"""`NamedTuple` without the imports of `typing` and without compiling source text.

A whole `paxect-core` process on a small file is short enough for these milliseconds to
matter. Type checkers see the real `typing.NamedTuple`. Modules that define structs
begin with `from __future__ import annotations`, so that a class body holds its fields.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as Struct
else:
    from operator import itemgetter

    class _StructMeta(type):
        def __new__(mcs, name, bases, namespace):
            if bases != (tuple,):
                fields = namespace["_fields"] = tuple(namespace["__annotations__"])
                defaults = {f: namespace[f] for f in fields if f in namespace}
                namespace["_field_defaults"] = defaults
                for place, field in enumerate(fields):
                    namespace[field] = property(itemgetter(place))
                namespace["__match_args__"] = fields
                namespace["__slots__"] = ()
            return super().__new__(mcs, name, bases, namespace)

    class Struct(tuple, metaclass=_StructMeta):
        """What a struct inherits from."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012  replaced, never changed

        def __new__(cls, *values, **named):  # noqa: D102
            fields = cls._fields
            if len(values) < len(fields):
                defaults = cls._field_defaults
                rest = fields[len(values) :]
                try:
                    values += tuple(
                        named.pop(f) if f in named else defaults[f] for f in rest
                    )
                except KeyError as missing:
                    raise TypeError(f"{cls.__name__} lacks {missing}") from None
            if named or len(values) > len(fields):
                raise TypeError(f"{cls.__name__} has no place for {named or values}")
            return tuple.__new__(cls, values)

        def __repr__(self):
            parts = (f"{f}={v!r}" for f, v in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({', '.join(parts)})"

        def __getnewargs__(self):
            return tuple(self)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changes):
            return type(self)(**{**self._asdict(), **changes})


__all__ = ["Struct"]
