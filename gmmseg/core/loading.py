"""Reading a mixture of whichever kind a model file holds."""

from os import PathLike

from gmmseg.core import mixture_file, posterior_file
from gmmseg.core.bayesian import BayesianGaussianMixture
from gmmseg.core.mixture import GaussianMixture
from gmmseg.core.serialization import read_kind
from gmmseg.errors import ModelFileError


def load_mixture(path: str | PathLike[str]) -> GaussianMixture | BayesianGaussianMixture:
    """Read a mixture from a model file, whichever kind of mixture it holds.

    Parameters
    ----------
    path : str or path
        A file that ``GaussianMixture.save`` or ``BayesianGaussianMixture.save`` wrote.

    Returns
    -------
    mixture : GaussianMixture or BayesianGaussianMixture
        The mixture, equal to the last bit.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, hostile, from a newer version or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "one.gmm")
    >>> GaussianMixture.from_parameters([1.0], [[0.5]], [[[1.0]]]).save(path)
    >>> load_mixture(path).means_
    array([[0.5]])
    >>> folder.cleanup()
    """
    kind = read_kind(path)
    if kind == mixture_file.KIND:
        return GaussianMixture.load(path)
    if kind == posterior_file.KIND:
        return BayesianGaussianMixture.load(path)
    wanted = f"{mixture_file.KIND!r} or {posterior_file.KIND!r}"
    raise ModelFileError(f"{path} holds a model of kind {kind!r}, wanted {wanted}")
