"""`NamedTuple` without the import of `typing`.

A whole `paxect-core` process on a small file is short enough for the 4 ms that
`typing` takes to matter. Type checkers see the real `typing.NamedTuple`.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as Struct
else:
    from collections import namedtuple

    class _StructMeta(type):
        def __new__(mcs, name, bases, namespace):
            if not bases:
                return super().__new__(mcs, name, bases, namespace)
            fields = namespace.pop("__annotations__", None)
            if fields is None:  # Python 3.14 computes annotations on demand
                import annotationlib

                annotate = annotationlib.get_annotate_from_class_namespace(namespace)
                fields = annotationlib.call_annotate_function(
                    annotate, annotationlib.Format.FORWARDREF
                )
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            record = namedtuple(  # noqa: PYI024
                name, fields, defaults=defaults, module=namespace["__module__"]
            )
            for key, value in namespace.items():
                if key not in _KEPT:
                    setattr(record, key, value)
            record.__doc__ = namespace.get("__doc__")
            return record

    _KEPT = frozenset(
        ("__module__", "__qualname__", "__annotate__", "__annotate_func__", "__doc__")
    )

    class Struct(metaclass=_StructMeta):
        """What a struct inherits from."""


__all__ = ["Struct"]
