"""Where a benchmark runs: what stands under its table."""

import datetime
import os
import platform
import subprocess


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def cpu_model():
    for line in read("/proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "cpu model"):
            return value.strip()
    return platform.machine()


def quota_of(folder, files):
    """CPUs' worth of time that one cgroup may use; None: no limit."""
    words = " ".join(read(os.path.join(folder, name)) for name in files).split()
    if len(words) < 2 or not words[0].isdigit() or not words[1].isdigit():
        return None  # "max", "-1" or no such file
    return int(words[0]) / int(words[1])


def cpu_quota():
    """The smallest quota of this process's cgroup and those around it, versions 1 and 2."""
    quotas = []
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, files = "/sys/fs/cgroup", ["cpu.max"]
        elif "cpu" in controllers.split(","):
            root, files = "/sys/fs/cgroup/cpu", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts), -1, -1):
            quotas.append(quota_of(os.path.join(root, *parts[:depth]), files))
    quotas = [quota for quota in quotas if quota is not None]
    return f"{min(quotas):g} CPUs" if quotas else "none"


def commit():
    def git(*arguments):
        folder = os.path.dirname(os.path.abspath(__file__))
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    head = git("rev-parse", "--short=12", "HEAD")
    if head is None:
        return "unknown"
    return head + (" with changes" if git("status", "--porcelain") else "")


def governor():
    """How the CPUs' clocks are steered, where the system says so."""
    kinds = set()
    for cpu in sorted(os.sched_getaffinity(0)):
        kinds.add(read(f"/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor").strip())
    kinds.discard("")
    return ", ".join(sorted(kinds)) or "not told (a virtual machine, most likely)"


def system():
    for line in read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def version_of_package(name):
    done = subprocess.run(
        ["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else "unknown"


def peer_versions(peers):
    """Of the Debian packages that the peers were built from."""
    packages = {"tbb": "libtbb-dev", "rayon": "librust-rayon-dev"}
    return ", ".join(f"{peer} {version_of_package(packages[peer])}" for peer in peers) or "none"


class Others:
    """How much of the machine other processes, and other virtual machines, take meanwhile."""

    def __init__(self):
        self.busy, self.all = self.ticks()
        self.own = self.own_seconds()

    @staticmethod
    def ticks():
        """Ticks of all CPUs so far: not idle, and all."""
        fields = [int(word) for word in read("/proc/stat").partition("\n")[0].split()[1:9]]
        return sum(fields) - sum(fields[3:5]), sum(fields)

    @staticmethod
    def own_seconds():
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system

    def ticks_since(self):
        """(theirs, all), since the object was made. The system counts whole ticks, and a
        process's own time finer: a single figure is a tick or two off, and may be negative."""
        busy, every = self.ticks()
        own = (self.own_seconds() - self.own) * os.sysconf("SC_CLK_TCK")
        return busy - self.busy - own, every - self.all

    def share(self):
        """In [0, 1] of all CPUs."""
        theirs, every = self.ticks_since()
        return max(0.0, theirs / max(1, every))


def settings():
    """Variables that change what is measured."""
    prefixes = ("OMP_", "GOMP_", "KMP_", "FILCH_", "RAYON_", "MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")
    found = [f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(prefixes)]
    return ", ".join(found) or "none that matter"


def describe():
    allowed = os.sched_getaffinity(0)
    return {
        "machine": f"{cpu_model()}, {os.cpu_count()} CPUs, {platform.machine()}",
        "system": f"{system()}, {platform.system()} {platform.release()}",
        "clock governor": governor(),
        "CPUs allowed": f"{len(allowed)} ({', '.join(map(str, sorted(allowed)))})",
        "CPU quota": cpu_quota(),
        "environment": settings(),
        "commit": commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }
