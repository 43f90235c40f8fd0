"""The verbs that show: map with its options, view."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.worlds import cli, earlier_run


@pytest.fixture
def run(common, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(earlier_run(common), copy)
    return copy


def test_a_map_goes_where_it_is_asked_for(run, tmp_path):
    before = (run / "map.html").read_bytes()
    result = cli("map", run, "--out", tmp_path / "here.html", "--tiles", "--max-mb", "9.5")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'here.html'}\n")
    assert (tmp_path / "here-tiles").is_dir()
    assert (run / "map.html").read_bytes() == before
    assert not (run / "map-tiles").exists()


def test_a_size_that_is_too_small(run, tmp_path):
    result = cli("map", run, "--max-mb", "0.01", "--out", tmp_path / "here.html")
    assert result.exit_code == 0
    assert re.search(r"note: here.html takes [\d.]+ MB and was to take 0.01", result.stderr)
    for size in ("0", "-1", "nan", "much"):
        assert cli("map", run, "--max-mb", size).exit_code == 2


def test_a_place_that_cannot_be_written(run, tmp_path):
    result = cli("map", run, "--out", tmp_path / "none" / "map.html")
    assert result.exit_code == 1
    assert "there is no folder" in result.stderr


def test_one_run_or_two(run):
    assert cli("map").exit_code == 2
    assert cli("map", run, run, run).exit_code == 2
    assert cli("map", run, run, "--tiles").exit_code == 2


def test_view_serves_the_map_until_it_is_stopped(run):
    command = [sys.executable, "-W", "error", "-m", "geosite", "view", str(run)]
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        url = started.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/map\.html", url)
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310
            assert answer.read() == (run / "map.html").read_bytes()
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    finally:
        started.kill()
    assert (started.returncode, out) == (0, "")
    assert "ended" in err
    assert "Traceback" not in err


def test_view_says_what_is_wrong(run, tmp_path):
    result = cli("view", tmp_path)
    assert result.exit_code == 1
    assert "not a finished run" in result.stderr
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = cli("view", run, "--port", port)
    assert result.exit_code == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in result.stderr
    (run / "map.html").unlink()
    result = cli("view", run)
    assert result.exit_code == 1
    assert "geosite map" in result.stderr
    assert cli("view", run, "--port", "70000").exit_code == 2
