"""The rules of the house, as programs: imports, names, docstrings, kernels, sizes, linters."""

import ast
import builtins
import importlib
import inspect
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from numpydoc.validate import validate

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "gmmseg").rglob("*.py"))
STUBS = sorted((ROOT / "gmmseg").rglob("__init__.pyi"))
HEAVY = {"PIL", "dask", "librosa", "matplotlib", "numba", "scipy", "skimage", "sklearn", "torch"}
COMPILERS = {"njit", "jit", "vectorize", "guvectorize", "stencil"}


def module_name(path):
    """Return the dotted name of a source file or stub."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def run_python(*arguments):
    """Run a fresh interpreter at the root of the repository."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


def heavy_libraries_loaded_by(code):
    report = f"{code}\nimport sys; print(*sys.modules, file=sys.stderr)"
    process = run_python("-c", report)
    assert process.returncode == 0, process.stderr
    return {name.partition(".")[0] for name in process.stderr.split()} & HEAVY


def test_import_gmmseg_loads_no_heavy_library():
    assert (
        heavy_libraries_loaded_by(
            "import gmmseg, gmmseg.audio, gmmseg.core, gmmseg.image, gmmseg.smoothing, gmmseg.video"
        )
        == set()
    )


@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "--version",
        "image --help",
        "image segment -h",
        "audio speakers train -h",
        "table fit -h",
        "model show -h",
        "video foreground -h",
    ],
)
def test_asking_for_help_succeeds_and_loads_no_heavy_library(arguments):
    code = f"""
import sys
from gmmseg.cli.main import main
sys.argv[1:] = {arguments.split()}
try:
    main()
except SystemExit as stop:
    assert stop.code == 0, stop.code
"""
    assert heavy_libraries_loaded_by(code) == set()


@pytest.mark.parametrize("stub", STUBS, ids=module_name)
def test_public_names_are_those_of_the_stub(stub):
    listed, imported = [], []
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            imported += [alias.asname or alias.name for alias in node.names]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            listed = ast.literal_eval(node.value)
    module = importlib.import_module(module_name(stub))
    assert sorted(listed) == sorted(imported) == sorted(module.__all__) == sorted(dir(module))


def public_names():
    """Return the dotted name of every function and class that a stub imports from a file."""
    return [
        f"{module_name(stub)}.{alias.name}"
        for stub in STUBS
        for node in ast.parse(stub.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
    ]


@pytest.mark.parametrize("name", public_names())
def test_no_file_bears_the_name_of_a_public_name_in_its_room(name):
    # Importing the file would put the module where the function was.
    assert not (ROOT / name.replace(".", "/")).with_suffix(".py").exists()


def methods_of(name):
    """Return the public methods that a class defines in gmmseg itself: dotted name → docstring."""
    module, _, attribute = name.rpartition(".")
    thing = getattr(importlib.import_module(module), attribute)
    members = inspect.getmembers(thing, inspect.isroutine) if inspect.isclass(thing) else []
    return {
        f"{name}.{member}": method.__doc__ or ""
        for member, method in members
        if not member.startswith("_") and method.__module__.startswith("gmmseg")
    }


def complaints_about(name, *, accepted=()):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["numpydoc_validation"]
    ignored = {*settings["checks"], *accepted}
    return [error for error in validate(name)["errors"] if error[0] not in ignored]


@pytest.mark.parametrize("name", public_names())
def test_public_name_has_a_complete_docstring_with_an_example(name):
    assert complaints_about(name) == []


@pytest.mark.parametrize("name", public_names())
def test_public_method_has_one_sentence_or_a_complete_docstring(name):
    # The example of the class shows its methods; a plain method needs no list of arguments.
    complaints = {}
    for method, docstring in methods_of(name).items():
        is_sentence = docstring and "\n" not in docstring
        accepted = {"EX01", "PR01", "RT01", "YD01"} if is_sentence else {"EX01"}
        if found := complaints_about(method, accepted=accepted):
            complaints[method] = found
    assert complaints == {}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_what_is_raised_is_an_error_of_ours(path):
    raised = [
        ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and node.exc is not None
    ]
    if path.name == "validation.py":
        raised.remove("TypeError")  # which turns into an InputError at once, as NumPy's do
    assert [name for name in raised if hasattr(builtins, name)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "gmmseg/cli").glob("*.py")), ids=module_name)
def test_what_a_command_has_read_is_called_file_in_its_report(path):
    keys = {
        key.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    assert not keys & {"audio", "image", "input", "path", "recording", "source", "video", "volume"}


def test_files_import_each_other_in_no_ring():
    # An estimator imports its file, which is handed the class to make and knows it as a type alone.
    graph = grimp.build_graph("gmmseg", exclude_type_checking_imports=True, cache_dir=None)
    imported = {file: graph.find_modules_directly_imported_by(file) for file in graph.modules}
    assert "gmmseg.audio.anomaly_file" in imported["gmmseg.audio.anomaly"]
    TopologicalSorter(imported).prepare()  # raises CycleError, which names the ring


def compiles(decorator):
    """Return whether a decorator hands its function to numba."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called).rpartition(".")[2] in COMPILERS


def kernels():
    """Return (module, decorator) for everything that numba compiles."""
    return [
        pytest.param(module_name(path), decorator, id=f"{path.stem}.{node.name}")
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        for decorator in filter(compiles, node.decorator_list)
    ]


@pytest.mark.parametrize(("module", "decorator"), kernels())
def test_kernel_says_which_fastmath_it_wants_and_keeps_nan_and_infinity(module, decorator):
    keywords = {word.arg: word.value for word in getattr(decorator, "keywords", [])}
    assert isinstance(keywords.get("fastmath"), ast.Name), "give fastmath= a named set of flags"
    flags = getattr(importlib.import_module(module), keywords["fastmath"].id)
    assert isinstance(flags, set | frozenset)
    assert not flags & {"nnan", "ninf", "fast"}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_file_has_at_most_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.lint
@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "ruff", "check"],
        ["-m", "ruff", "format", "--check"],
        ["-m", "mypy"],
        ["-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
    ],
    ids=["ruff-check", "ruff-format", "mypy", "import-linter"],
)
def test_linter_has_no_complaint(arguments):
    process = run_python(*arguments)
    assert process.returncode == 0, process.stdout + process.stderr
