"""Files of numbers (.npz, .npy, MATLAB's .mat): what arrays they hold, told by their heads, and read when needed."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import io as matlab

from sslgraph.errors import SslgraphError

from ..decode.mistaken import said_of
from ..stores.store import File, Folder, Store

ENDINGS = (".npz", ".npy", ".mat")
PIECE = 2**16
HDF = b"MATLAB 7.3"
OF_MATLAB = {"double": "f8", "single": "f4", "logical": "?", "char": "U1", "cell": "O", "struct": "O"}
PICKLED = "O"  # the kind of an array of objects, which numpy would unpickle


@dataclass(frozen=True)
class Held:
    """An array of a file, unread: its name in there, its shape and its kind of number."""

    store: Store
    file: File
    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_alone: bool = False  # the only one of its file, which is called as the file

    @property
    def place(self) -> str:
        """File and name, as a path: set.npz/train_images.npz, whose ending says that it stands for many images."""
        name, ending = posixpath.splitext(self.file.name)
        return self.file.name if self.is_alone else f"{name}{ending}/{self.key}{ending}"

    @property
    def folder(self) -> str:
        """Where arrays lie that belong to it: its file, or the folder of an .npy file."""
        return posixpath.dirname(self.place)

    def read(self) -> NDArray[Any]:
        """The numbers; an .npy file of this machine is mapped into memory, and not read."""
        ending = posixpath.splitext(self.file.name)[1].lower()
        if ending == ".npy" and isinstance(self.store, Folder):
            return cast("NDArray[Any]", np.load(self.store.place(self.file.name), mmap_mode="r", allow_pickle=False))
        with self.store.open(self.file, PIECE) as opened:
            if ending == ".mat":
                return np.asarray(matlab.loadmat(opened, variable_names=[self.key])[self.key])
            found = np.load(io.BytesIO(opened.read()) if ending == ".npy" else opened, allow_pickle=False)
            return np.asarray(found if ending == ".npy" else found[found.files[0] if self.is_alone else self.key])

    def __str__(self) -> str:
        return f"{self.key} {list(self.shape)} of {self.dtype}"


def held(store: Store, file: File) -> list[Held]:
    """The arrays of a file; SslgraphError with the reason if it can't be read."""
    ending = posixpath.splitext(file.name)[1].lower()
    with store.open(file, PIECE) as opened:
        try:
            heads = list({".npz": _of_npz, ".npy": _of_npy, ".mat": _of_mat}[ending](opened))
            if ending == ".npy" and file.size < np.prod(heads[0][1], dtype=np.float64) * heads[0][2].itemsize:
                raise ValueError("it is cut short")
            is_alone = ending != ".mat" and len(heads) == 1
            return [
                Held(store, file, _stem(file) if is_alone else key, shape, dtype, is_alone)
                for key, shape, dtype in heads
            ]
        except NotImplementedError:
            why = "it is of MATLAB 7.3, which is HDF5: save it with -v7 in MATLAB, or its images as PNG"
        except Exception as reason:  # numpy's and scipy's readers raise anything on damaged bytes
            opened.seek(0)
            why = said_of(opened.read(PIECE)) or str(reason)
    raise SslgraphError(f"{store.place(file.name)} can't be read as an array: {why}")


def _stem(file: File) -> str:
    return posixpath.splitext(posixpath.basename(file.name))[0]


def _of_npy(opened: IO[bytes]) -> Iterator[tuple[str, tuple[int, ...], np.dtype[Any]]]:
    version = np.lib.format.read_magic(opened)
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = head(opened)
    yield "", shape, dtype


def _of_npz(opened: IO[bytes]) -> Iterator[tuple[str, tuple[int, ...], np.dtype[Any]]]:
    with zipfile.ZipFile(opened) as packed:
        for name in packed.namelist():
            with packed.open(name) as member:
                for _, shape, dtype in _of_npy(member):
                    yield name.removesuffix(".npy"), shape, dtype


def _of_mat(opened: IO[bytes]) -> Iterator[tuple[str, tuple[int, ...], np.dtype[Any]]]:
    if opened.read(len(HDF)) == HDF:
        raise NotImplementedError
    opened.seek(0)
    for name, shape, kind in matlab.whosmat(opened):
        known = OF_MATLAB.get(kind, kind)
        yield name, tuple(shape), np.dtype(known if known in OF_MATLAB.values() or "int" in known else PICKLED)
