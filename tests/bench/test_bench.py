# SPDX-License-Identifier: Apache-2.0
"""The benchmarks measure what they say: memory is the program's own."""
import os
import subprocess

import measure

READ_ANSWER = os.environ["KUBECENT_READ_ANSWER"]


class TestMemory:
    def test_is_the_readers_own(self, tmp_path):
        """An answer of half a megabyte, read by the child of a process of more than 64 MB."""
        answer, ballast = measure.answer(tmp_path, 250), bytearray(os.urandom(1 << 20)) * 64
        fields = subprocess.run([READ_ANSWER, "decode", answer], capture_output=True, text=True, check=True).stdout.split()
        assert int(fields[2]) == 250
        assert 0 < int(fields[4]) < len(ballast) / 1024 / 4
