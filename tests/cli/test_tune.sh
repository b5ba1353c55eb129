# tune: what is measured, where it is kept, who uses it, what is said of files that cannot be used.
. "${0%/*}/common.sh"
cache=$HOME/.cache/deeper/tuning.json

# Without a file nothing changes.
run 0 bench --arch lenet5 --size 28 --threads 1 --seconds 0 --json
same "built-in model" "$(get tuning)"

run 0 tune --arch lenet5 --size 28 --threads 1
says out "whole network" "written        $cache" "1 thread, batch 1"
[ -s "$cache" ] || fail "no $cache"
same 1 "$(ls "$HOME/.cache/deeper" | wc -l)"
run 0 bench --arch lenet5 --size 28 --threads 2 --seconds 0 --json --plan
same "$cache" "$(get tuning)"
says out ", tuned"
run 0 bench --arch lenet5 --size 28 --seconds 0
says out "tuning         $cache"

# It is not for training, not for direct convolutions, and can be switched off.
run 0 bench --arch lenet5 --size 28 --seconds 0 --train --json
same "built-in model" "$(get tuning)"
run 0 bench --arch lenet5 --size 28 --seconds 0 --memory low --json
same "built-in model" "$(get tuning)"
export DEEPER_TUNING=none
run 0 bench --arch lenet5 --size 28 --seconds 0 --json --plan
same "built-in model" "$(get tuning)"
lacks out ", tuned"
unset DEEPER_TUNING

# Another file, as JSON; the cache folder that XDG names.
run 0 tune --arch lenet5 --size 28 --threads 1 --batch 2 --json --out mine.json
same "mine.json	1	2" "$(get tuning threads batch)"
empty err
run 0 info --json mine.json
same "tuning	mine.json	true	true" "$(get kind path used sound)"
cp mine.json "$work/spaced name.json"
DEEPER_TUNING="$work/spaced name.json"
export DEEPER_TUNING
run 0 bench --arch lenet5 --size 28 --seconds 0 --json
same "$DEEPER_TUNING" "$(get tuning)"
unset DEEPER_TUNING
export XDG_CACHE_HOME="$work/other/cache"
run 0 tune --arch lenet5 --size 28 --threads 1 --quiet
[ -s "$work/other/cache/deeper/tuning.json" ] || fail "nothing in XDG_CACHE_HOME"

# verify says which it used.
small_model small.safetensors
run 0 verify small.safetensors --against small.safetensors --json
same "$XDG_CACHE_HOME/deeper/tuning.json" "$(get tuning)"

# Of another machine or version: one note, and the work is done without.
sed 's/"machine": "/"machine": "not /' mine.json >"$XDG_CACHE_HOME/deeper/tuning.json"
run 0 info "$XDG_CACHE_HOME/deeper/tuning.json"
says out "not used here"
run 0 bench --arch lenet5 --size 28 --seconds 0 --json
same "built-in model" "$(get tuning)"
lines err 1
says err "another machine" "deeper tune"
run 0 bench --arch lenet5 --size 28 --seconds 0 --json --quiet
empty err
sed 's/"deeper_tuning": 1/"deeper_tuning": 7/' mine.json >"$XDG_CACHE_HOME/deeper/tuning.json"
run 0 classify --model small.safetensors --json "$(picture red.ppm 200 30 30 && echo red.ppm)"
lines err 1
says err "version 7"

# Damaged or missing: one line that names the file and the remedy.
echo "{" >"$XDG_CACHE_HOME/deeper/tuning.json"
run 1 classify --model small.safetensors red.ppm
lines err 1
says err "$XDG_CACHE_HOME/deeper/tuning.json" "deeper tune" "DEEPER_TUNING=none"
run 0 tune --arch lenet5 --size 28 --threads 1 --quiet
run 0 classify --model small.safetensors red.ppm
export DEEPER_TUNING=nosuch.json
run 1 classify --model small.safetensors red.ppm
lines err 1
says err nosuch.json
unset DEEPER_TUNING

# Places that cannot be written to are told before anything is measured.
export XDG_CACHE_HOME="$work/mine.json"
run 1 tune --arch lenet5 --size 28
lines err 1
says err "$work/mine.json/deeper/tuning.json" "--out"
run 1 tune --arch lenet5 --size 28 --out no/such/folder.json
lines err 1
unset XDG_CACHE_HOME
run 2 tune --model small.safetensors --size 28
run 2 tune --model small.safetensors --arch lenet5
run 2 tune word
exit 0
