"""Measures the client's files and memory: measure.py BIN. run.sh says what the figures are."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
GLIBC = re.compile(r"/(libc|libm|libdl|libpthread|librt|libresolv|libmvec|libutil|ld-linux[^/]*)\.so")


def files_of_client(binaries, work):
    """The programs without debug information, and the libraries that they load, as real paths."""
    programs, libraries = [], set()
    for name in ("hansa-client", "hansa-trainer", "libhansa_sentencepiece.so"):
        if not (binaries / name).exists():
            continue
        programs.append(work / name)
        subprocess.run(["strip", "-o", work / name, binaries / name], check=True)
        listed = subprocess.run(["ldd", binaries / name], check=True, capture_output=True, text=True).stdout
        for path in re.findall(r"=> (/\S+)", listed):
            if not GLIBC.search(path):
                libraries.add(pathlib.Path(path).resolve())
    return programs, libraries


def memory_of(process, key):
    """VmRSS or VmHWM in bytes; 0 if the process has ended."""
    try:
        text = pathlib.Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def children_of(process):
    """Each thread has the children that it started."""
    found = []
    for file in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += [int(child) for child in file.read_text(encoding="ascii").split()]
        except OSError:
            pass  # the thread has ended
    return found


class Federation:
    """Two clients with a tenth of Fashion-MNIST each, of which the first is measured."""

    def __init__(self, binaries, work):
        self.binaries = binaries
        self.folder = work / "federation"
        self.running = []
        subprocess.run(
            [binaries / "hansa", "new", self.folder, "--example", "fashion-mnist", "--clients", "10", "--clients-min", "2",
             "--alpha", "100", "--rounds", "3", "--bind", "tcp://127.0.0.1:0"], check=True, stdout=subprocess.DEVNULL)
        configuration = self.folder / "federation.toml"
        text = configuration.read_text(encoding="utf-8")
        configuration.write_text(re.sub(r"clients_expected = .*", "clients_expected = 2", text), encoding="utf-8")
        self.log = work / "aggregator.log"
        self.aggregator = self.start("aggregator", "hansa-aggregator", self.folder / "federation.toml", "--progress", "plain")
        address = self.wait(lambda: re.search(r" at (tcp://127.0.0.1:\d+)", self.log.read_text(encoding="utf-8")))[1]
        for file in self.folder.glob("sites/*/client.toml"):
            text = file.read_text(encoding="utf-8")
            text = re.sub(r'^address = .*', f'address = "{address}"', text, flags=re.MULTILINE)
            text = text.replace("[resources]", "[resources]\ntrainer_idle_s = 1")
            file.write_text(text, encoding="utf-8")

    def start(self, name, program, *arguments):
        with open(self.folder.parent / f"{name}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen([self.binaries / program, *arguments], stdout=log, stderr=log)
        self.running.append(process)
        return process

    def start_client(self, number):
        file = sorted(self.folder.glob("sites/*/client.toml"))[number - 1]
        return self.start(f"client-{number}", "hansa-client", file)

    def wait(self, what):
        until = time.monotonic() + 600
        while time.monotonic() < until:
            if found := what():
                return found
            time.sleep(0.05)
        raise SystemExit("footprint: waited in vain; the aggregator's log:\n" + self.log.read_text(encoding="utf-8"))

    def end(self):
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait()


def main():
    binaries = pathlib.Path(sys.argv[1]).resolve()
    work = pathlib.Path(tempfile.mkdtemp())
    federation = None
    try:
        programs, libraries = files_of_client(binaries, work)
        largest = sorted(libraries, key=lambda file: -file.stat().st_size)[:5]
        own = sum(file.stat().st_size for file in programs)
        shared = sum(file.stat().st_size for file in libraries)
        print(f"programs: {own / MIB:.1f} MiB; {len(libraries)} libraries: {shared / MIB:.1f} MiB, of which "
              + ", ".join(f"{file.name} {file.stat().st_size / MIB:.0f}" for file in largest))

        federation = Federation(binaries, work)
        client = federation.start_client(1)
        log = work / "client-1.log"
        federation.wait(lambda: "connected" in log.read_text(encoding="utf-8"))
        federation.wait(lambda: not children_of(client.pid))
        idle = memory_of(client.pid, "VmRSS")
        print(f"idle: {idle / MIB:.1f} MiB")

        federation.start_client(2)
        most = trainer = 0

        def trained():
            nonlocal most, trainer
            children = sum(memory_of(child, "VmHWM") for child in children_of(client.pid))
            trainer = max(trainer, children)
            most = max(most, memory_of(client.pid, "VmHWM") + children)
            return federation.aggregator.poll() is not None
        federation.wait(trained)
        if federation.aggregator.returncode != 0:
            raise SystemExit("footprint: the aggregator failed:\n" + federation.log.read_text(encoding="utf-8"))
        print(f"training: {most / MIB:.1f} MiB, of which the trainer has {trainer / MIB:.1f} MiB")
        print(f"figure: footprint/client_installed_mib {(own + shared) / MIB:.1f} MiB")
        print(f"figure: footprint/client_idle_mib {idle / MIB:.1f} MiB")
        print(f"figure: footprint/client_training_mib {most / MIB:.1f} MiB")
    finally:
        if federation:
            federation.end()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
