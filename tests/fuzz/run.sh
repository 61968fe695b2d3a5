#!/usr/bin/env bash
# Run the fuzzer for FILCH_FUZZ_SECONDS (20), from the same seed every time.
#
#   run.sh FUZZER [ARGUMENT...]
#
# An input that fails is kept beside the fuzzer; hand it to the fuzzer to see it fail again.
set -euo pipefail

fuzzer=$1
shift
exec "$fuzzer" -seed=1 -max_len=400 -len_control=0 -timeout=20 -rss_limit_mb=1500 \
    -artifact_prefix="$(dirname "$fuzzer")/" -print_final_stats=1 \
    -max_total_time="${FILCH_FUZZ_SECONDS:-20}" "$@"
