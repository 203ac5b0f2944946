"""The rules of the house: who may import whom, and what nobody may do."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = sorted((ROOT / "mnist_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
PARTS = sorted((ROOT / "pages" / "parts").glob("*.py"))
OURS = [ROOT / "app.py", *CORE, *PAGES, *PARTS]

LEAVES = ["checks", "geometry", "history", "idx", "models", "numpy_engine"]
LEAVES += ["augmentation", "fair_queue", "optimisers", "pixels", "schedules"]
LEAVES += ["settings", "summary", "vision", "workspaces"]
MAY_IMPORT = {  # what a module of ours may import of ours; not listed: anything of the core
    **{leaf: set() for leaf in LEAVES},
    "datasets": {"geometry", "idx", "vision"},
    "downloads": {"idx", "vision"},
    "engine": {"augmentation", "optimisers", "pixels"},
    "evaluation": {"pixels"},
    "drawing": {"geometry", "strokes"},
    "strokes": {"geometry"},
}
NOT_IN_FIGURES = {"datasets", "engine", "jobs", "models", "runs", "evaluation", "downloads"}


def imports_of(path: Path) -> set[str]:
    """Return the dotted names that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def core_modules_in(names: set[str]) -> set[str]:
    parts = [name.split(".") for name in names if name.startswith("mnist_core.")]
    return {part[1] for part in parts}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_core_imports_neither_streamlit_nor_pages(path):
    assert not {n for n in imports_of(path) if n.split(".")[0] in ("streamlit", "pages", "app")}


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_arrows_inside_the_core(name):
    imported = core_modules_in(imports_of(ROOT / "mnist_core" / f"{name}.py"))
    assert imported <= MAY_IMPORT[name]


@pytest.mark.parametrize("path", [p for p in CORE if p.parent.name == "figures"], ids=relative)
def test_figures_take_arrays_and_results(path):
    assert not core_modules_in(imports_of(path)) & NOT_IN_FIGURES


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_pages_import_parts_and_core_only(path):
    ours = {n for n in imports_of(path) if n.startswith("pages")}
    assert all(n == "pages.parts" or n.startswith("pages.parts.") for n in ours)


@pytest.mark.parametrize("path", PARTS, ids=relative)
def test_parts_do_not_import_pages(path):
    ours = {n for n in imports_of(path) if n.startswith("pages")}
    assert all(n == "pages.parts" or n.startswith("pages.parts.") for n in ours)


def test_core_leaves_streamlit_out_of_the_process():
    modules = [relative(p)[:-3].replace("/", ".") for p in CORE if p.stem not in ("__main__",)]
    modules = [m.removesuffix(".__init__") for m in modules]
    code = f"import sys, {', '.join(modules)}; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_first_page_leaves_torch_out_of_the_process():
    code = (
        "import sys, pages.parts.frame, pages.parts.route, mnist_core.figures.history; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'torchvision', 'sklearn', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def calls_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}


@pytest.mark.parametrize("path", OURS, ids=relative)
def test_nobody_loads_pickles_or_writes_global_state(path):
    calls = calls_in(path)
    assert not calls & {"torch.load", "torch.save", "torch.manual_seed", "torch.seed"}
    assert not calls & {"np.random.seed", "random.seed", "torch.set_default_dtype"}
    owns_threads = relative(path) in (
        "mnist_core/jobs.py",  # in its own workers
        "mnist_core/threads.py",  # for who owns the process: the app, once, at its start
        "mnist_core/pretrained/__main__.py",
    )
    assert "torch.set_num_threads" not in calls or owns_threads
    assert "sys.setswitchinterval" not in calls or relative(path) == "mnist_core/threads.py"
    assert "share_the_cores" not in calls or path.name == "warm.py"
    assert not {n for n in imports_of(path) if n.split(".")[0] in ("pickle", "dill", "joblib")}
    assert "os.environ[" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", [*PAGES, *PARTS], ids=relative)
def test_pages_make_no_html_and_keep_their_state_in_one_file(path):
    source = path.read_text("utf-8")
    assert "unsafe_allow_html" not in source
    assert "session_state" not in source or path.name == "state.py"


@pytest.mark.parametrize("path", OURS, ids=relative)
def test_files_and_functions_stay_small(path):
    source = path.read_text("utf-8")
    limit = 100 if path.parent.name == "pages" else 300
    assert len(source.splitlines()) <= limit
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and "figures" not in path.parts:
            assert node.end_lineno - node.lineno < 50, node.name


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_everything_public_in_the_core_is_described(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), f"{relative(path)} says nothing of itself"
    exported = next(
        (
            {e.value for e in n.value.elts}
            for n in tree.body
            if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"
        ),
        set(),
    )
    shown_as_code = {"layers", "losses", "loaders", "models", "single_step"}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in exported:
            described = ast.get_docstring(node) or path.stem in shown_as_code
            assert described, f"{relative(path)}: {node.name}"
