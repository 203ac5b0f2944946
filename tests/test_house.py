"""The rules of the house: who may import whom, and what nobody may do.

Each rule takes the root of a house and returns what breaks it. ``BROKEN``, at the end, breaks every
rule once, in a house of a few lines: a rule that finds nothing there is no rule.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CORE_MAY_IMPORT = {
    "common": "",
    "nn": "",
    "data": "common",
    "playground": "common nn",
    "evaluation": "data",
    "explain": "common data nn concepts",
    "drawing": "common data evaluation",
    "training": "common data nn evaluation",
    "concepts": "common data nn training",
    "pretrained": "common data nn evaluation drawing",
    "workspace": "common data nn evaluation drawing training concepts pretrained",
    "lesson": "common data nn evaluation drawing training concepts playground explain pretrained",
    "figures": "common",  # and the dataclasses of results from anywhere: `figures_take_results`
}
PARTS_MAY_IMPORT = {
    "session": "",
    "shell": "session",
    "widgets": "session shell",
    "concepts": "session shell widgets",
    "dataset": "session shell widgets",
    "explain": "session shell widgets",
    "playground": "session shell widgets",
    "training": "session shell widgets",
    "evaluation": "session shell widgets explain",
    "drawing": "session shell widgets training",
}
PAGE_LINES, FILE_LINES, FUNCTION_LINES = 100, 400, 40
OWN_THREADS = (  # these own their threads or their process
    "mnist_core/common/cpu.py",
    "mnist_core/training/queue.py",
    "mnist_core/pretrained/__main__.py",
)


def core(root: Path) -> list[Path]:
    return sorted((root / "mnist_core").rglob("*.py"))


def parts(root: Path) -> list[Path]:
    return sorted((root / "pages" / "parts").rglob("*.py"))


def pages(root: Path) -> list[Path]:
    return sorted((root / "pages").glob("*.py"))


def everything(root: Path) -> list[Path]:
    return [root / "app.py", *core(root), *pages(root), *parts(root)]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, anywhere in it, for types only or not."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            before = "." * node.level + (node.module or "")
            yield from (f"{before}.{alias.name}" for alias in node.names)


def calls_in(path: Path) -> set[str]:
    return {ast.unparse(n.func) for n in ast.walk(tree_of(path)) if isinstance(n, ast.Call)}


def module_of(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports_follow(table: dict[str, str], folder: str, root: Path) -> Iterator[str]:
    """Yield every import between rooms below a folder that the table does not allow."""
    before = folder.replace("/", ".") + "."
    for path in sorted((root / folder).rglob("*.py")):
        room, *rest = path.relative_to(root / folder).parts
        if not rest:
            if room != "__init__.py":
                yield f"{folder}/{room} stands in no room"
            continue
        if room not in table:
            yield f"{folder}/{room} is not in the table"
            continue
        for name in imports_of(path):
            other = name.removeprefix(before).split(".")[0] if name.startswith(before) else room
            figure = folder == "mnist_core" and room == "figures"
            if other != room and not figure and other not in table[room].split():
                yield f"{path.relative_to(root)} imports {name}"


def rooms_of_the_core(root: Path) -> Iterator[str]:
    return imports_follow(CORE_MAY_IMPORT, "mnist_core", root)


def rooms_of_the_parts(root: Path) -> Iterator[str]:
    return imports_follow(PARTS_MAY_IMPORT, "pages/parts", root)


def tables_have_no_circle(root: Path) -> Iterator[str]:
    """Yield rooms that may import each other by any way, and modules that do."""
    for table in (CORE_MAY_IMPORT, PARTS_MAY_IMPORT):
        yield from circles({room: set(others.split()) for room, others in table.items()})
    modules = {module_of(path, root): path for path in everything(root)}
    graph = {}
    for module, path in modules.items():
        named = {n for name in imports_of(path) for n in (name, name.rpartition(".")[0])}
        graph[module] = {name for name in named if name in modules and name != module}
    yield from circles(graph)


def circles(graph: dict[str, set[str]]) -> Iterator[str]:
    """Yield what is left of a graph once all that depends on nothing left is taken away."""
    left = dict(graph)
    while free := [node for node, others in left.items() if not others & left.keys()]:
        for node in free:
            del left[node]
    if left:
        yield "a circle among: " + ", ".join(sorted(left))


def core_knows_no_pages(root: Path) -> Iterator[str]:
    for path in core(root):
        for name in imports_of(path):
            if name.split(".")[0] in ("streamlit", "pages", "app", "streamlit_drawable_canvas"):
                yield f"{path.relative_to(root)} imports {name}"


def pages_know_parts_and_core(root: Path) -> Iterator[str]:
    for path in [*pages(root), *parts(root)]:
        for name in imports_of(path):
            if name.startswith(".") or (
                name.split(".")[0] in ("pages", "app") and not name.startswith("pages.parts.")
            ):
                yield f"{path.relative_to(root)} imports {name}"


def figures_take_results(root: Path) -> Iterator[str]:
    """Yield what figures import besides dataclasses and common: no models, no computations."""
    for path in sorted((root / "mnist_core" / "figures").rglob("*.py")):
        for name in imports_of(path):
            if not name.startswith("mnist_core.") or name.split(".")[1] in ("common", "figures"):
                continue
            module, _, symbol = name.rpartition(".")
            if not dataclasses.is_dataclass(getattr(importlib.import_module(module), symbol, None)):
                yield f"{path.relative_to(root)} imports {name}"


def inits_are_empty(root: Path) -> Iterator[str]:
    """Yield packages whose import loads anything."""
    for path in (p for p in everything(root) if p.name == "__init__.py"):
        if list(imports_of(path)):
            yield f"{path.relative_to(root)} imports something"


def nobody_writes_global_state(root: Path) -> Iterator[str]:
    forbidden = {"torch.load", "torch.save", "torch.manual_seed", "torch.seed"}
    forbidden |= {"np.random.seed", "random.seed", "torch.set_default_dtype", "os.putenv"}
    forbidden |= {"pickle.load", "pickle.loads", "os.environ.update", "os.environ.setdefault"}
    for path in everything(root):
        name, calls = path.relative_to(root).as_posix(), calls_in(path)
        found = calls & forbidden
        if name not in OWN_THREADS:
            found |= calls & {"torch.set_num_threads", "sys.setswitchinterval"}
        if path.name != "warm.py":
            found |= calls & {"share_the_cores"}
        yield from (f"{name} calls {call}" for call in sorted(found))
        if "os.environ[" in path.read_text("utf-8"):
            yield f"{name} writes os.environ"
        for module in imports_of(path):
            if module.split(".")[0] in ("pickle", "dill", "joblib", "shelve", "marshal"):
                yield f"{name} imports {module}"


def pages_make_no_html_and_hold_no_state(root: Path) -> Iterator[str]:
    for path in [*pages(root), *parts(root)]:
        source, name = path.read_text("utf-8"), path.relative_to(root).as_posix()
        if "unsafe_allow_html" in source:
            yield f"{name} makes HTML"
        if "session_state" in source and name != "pages/parts/session/state.py":
            yield f"{name} touches the session's state"


def files_and_functions_are_short(root: Path) -> Iterator[str]:
    for path in everything(root):
        name, lines = path.relative_to(root), len(path.read_text("utf-8").splitlines())
        most = PAGE_LINES if path.parent.name == "pages" else FILE_LINES
        if lines > most:
            yield f"{name} has {lines} lines, at most {most} are allowed"
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = code_lines(node)
                if length > FUNCTION_LINES:
                    yield f"{name}: {node.name} has {length} lines"


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines, its docstring left out: to describe it well costs nothing."""
    doc = node.body[0] if ast.get_docstring(node) is not None else None
    described = (doc.end_lineno or 0) - doc.lineno + 1 if doc else 0
    return (node.end_lineno or 0) - node.lineno + 1 - described


SHOWN_AS_CODE = ("linear", "losses", "batching", "architectures", "single_step", "activations")


def public_things_are_described(root: Path) -> Iterator[str]:
    for path in core(root):
        tree, name = tree_of(path), path.relative_to(root)
        if path.read_text("utf-8").strip() and not ast.get_docstring(tree):
            yield f"{name} has no docstring"
        if path.stem in SHOWN_AS_CODE:
            continue  # the page's prose stands beside each of these functions
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in exported(
                tree
            )
            if public and not ast.get_docstring(node):
                yield f"{name}: {node.name} has no docstring"


def exported(tree: ast.Module) -> set[str]:
    """Return what a module lists in ``__all__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def one_class_a_name(root: Path) -> Iterator[str]:
    """Yield names that two public classes share: one word for one thing."""
    seen: dict[str, Path] = {}
    for path in everything(root):
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                if node.name in seen and node.name not in SAME_ON_PURPOSE:
                    both = f"{seen[node.name].relative_to(root)} and {path.relative_to(root)}"
                    yield f"{node.name} is a class in {both}"
                seen[node.name] = path


SAME_ON_PURPOSE: set[str] = set()

RULES: tuple[Callable[[Path], Iterator[str]], ...] = (
    rooms_of_the_core,
    rooms_of_the_parts,
    tables_have_no_circle,
    core_knows_no_pages,
    pages_know_parts_and_core,
    figures_take_results,
    inits_are_empty,
    nobody_writes_global_state,
    pages_make_no_html_and_hold_no_state,
    files_and_functions_are_short,
    public_things_are_described,
    one_class_a_name,
)
LONG_FUNCTION = "def long():\n" + "    x = 1\n" * FUNCTION_LINES
BROKEN = [  # rule, file, what it holds
    (rooms_of_the_core, "mnist_core/nn/deep/down.py", "from mnist_core.data import idx"),
    (rooms_of_the_core, "mnist_core/nn/deep/down.py", "import mnist_core.training.run"),
    (rooms_of_the_core, "mnist_core/loose.py", ""),
    (rooms_of_the_core, "mnist_core/attic/box.py", ""),
    (rooms_of_the_parts, "pages/parts/session/a.py", "from pages.parts.shell import texts"),
    (rooms_of_the_parts, "pages/parts/explain/a.py", "from pages.parts.drawing import pads"),
    (
        tables_have_no_circle,
        "mnist_core/nn/a.py",
        "if TYPE_CHECKING:\n    from mnist_core.nn import b",
    ),
    (core_knows_no_pages, "mnist_core/nn/a.py", "def f():\n    import streamlit"),
    (core_knows_no_pages, "mnist_core/nn/a.py", "from pages.parts.session import state"),
    (pages_know_parts_and_core, "pages/one.py", "from pages import two"),
    (pages_know_parts_and_core, "pages/one.py", "import pages.two"),
    (pages_know_parts_and_core, "pages/parts/explain/a.py", "import app"),
    (pages_know_parts_and_core, "pages/parts/explain/a.py", "from . import zoom"),
    (
        figures_take_results,
        "mnist_core/figures/a.py",
        "from mnist_core.nn.architectures import build",
    ),
    (figures_take_results, "mnist_core/figures/a.py", "from mnist_core.nn import architectures"),
    (inits_are_empty, "mnist_core/nn/__init__.py", "from mnist_core.nn.architectures import build"),
    (nobody_writes_global_state, "mnist_core/nn/a.py", "torch.manual_seed(0)"),
    (nobody_writes_global_state, "pages/one.py", "torch.set_num_threads(1)"),
    (nobody_writes_global_state, "pages/parts/explain/a.py", "share_the_cores()"),
    (nobody_writes_global_state, "pages/one.py", "os.environ['A'] = 'b'"),
    (nobody_writes_global_state, "mnist_core/nn/a.py", "import pickle"),
    (
        pages_make_no_html_and_hold_no_state,
        "pages/one.py",
        "st.markdown(x, unsafe_allow_html=True)",
    ),
    (pages_make_no_html_and_hold_no_state, "pages/parts/explain/a.py", "st.session_state['a'] = 1"),
    (files_and_functions_are_short, "pages/one.py", "x = 1\n" * (PAGE_LINES + 1)),
    (files_and_functions_are_short, "mnist_core/nn/a.py", "x = 1\n" * (FILE_LINES + 1)),
    (files_and_functions_are_short, "mnist_core/figures/a.py", LONG_FUNCTION),
    (public_things_are_described, "mnist_core/nn/a.py", "x = 1"),
    (
        public_things_are_described,
        "mnist_core/nn/a.py",
        "'''A.'''\n__all__ = ['f']\ndef f(): pass",
    ),
    (one_class_a_name, "mnist_core/nn/a.py", "class B:\n    pass"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule):
    assert list(rule(ROOT)) == []


@pytest.mark.parametrize(("rule", "file", "source"), BROKEN)
def test_a_broken_rule_is_found(rule, file, source, tmp_path):
    house = {
        "app.py": "",
        "mnist_core/nn/b.py": "'''B.'''\nfrom mnist_core.nn import a\nclass B: ...",
    }
    house["mnist_core/nn/a.py"] = "'''A.'''"
    write(tmp_path, house)
    assert list(rule(tmp_path)) == []
    write(tmp_path, {file: source})
    assert len(list(rule(tmp_path))) == 1


def write(root: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")


def test_every_rule_is_broken_once_on_purpose():
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_the_tables_name_the_rooms_there_are():
    for table, folder in (
        (CORE_MAY_IMPORT, ROOT / "mnist_core"),
        (PARTS_MAY_IMPORT, ROOT / "pages" / "parts"),
    ):
        rooms = {path.name for path in folder.iterdir() if list(path.glob("*.py"))}
        assert rooms == set(table)


def test_core_leaves_streamlit_out_of_the_process():
    modules = [module_of(path, ROOT) for path in core(ROOT) if path.stem != "__main__"]
    code = f"import sys, {', '.join(modules)}; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


HEAVY = "('torch', 'torchvision', 'sklearn', 'scipy', 'pandas')"


@pytest.mark.parametrize("page", ["home"])
def test_the_first_page_loads_no_torch(page):
    """What the page's file imports, and what it runs to show itself."""
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from pages.parts.shell import warm\n"
        "warm.start = lambda: None\n"
        f"app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        "assert not app.exception and app.title, app.exception\n"
        f"sys.exit(any(name in sys.modules for name in {HEAVY}))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
