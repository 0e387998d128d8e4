"""Model files, good and spoilt, for the tests of what reads them."""

import io
import warnings
import zipfile

import numpy as np
from numpy.lib import format as npy


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of duplicate names, which are the point
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)


def npy_bytes(array, *, allow_pickle=False):
    buffer = io.BytesIO()
    npy.write_array(buffer, np.asarray(array), allow_pickle=allow_pickle)
    return buffer.getvalue()


def npy_claiming(shape, *, descr="'<f8'", body=bytes(16)):
    """Return an array file whose header says this shape, as text, whatever the body holds."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body


def spoilt_copies(path, folder):
    """Yield copies of a model file, each with one array of other numbers or of another shape."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, content in members.items():
        if not name.endswith(".npy"):
            continue
        array = npy.read_array(io.BytesIO(content))
        changes = {"cut": array.ravel()[:-1], "missing": None}
        if array.dtype.kind == "f":
            changes["nan"] = np.full_like(array, np.nan)
        for change, changed in changes.items():
            spoilt = {key: other for key, other in members.items() if key != name}
            if changed is not None:
                spoilt[name] = npy_bytes(changed)
            target = folder / f"{name[:-4]}_{change}.gmm"
            write_zip(target, spoilt)
            yield target
