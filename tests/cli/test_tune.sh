# tune: what is measured, where it is kept, who uses it, what is said of files that cannot be used.
. "${0%/*}/common.sh"
cache=$HOME/.cache/deeper/tuning.json

# Without a file nothing changes.
run 0 bench --arch lenet5 --size 28 --threads 1 --seconds 0 --json
same null "$(get tuning)"

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
same null "$(get tuning)"
run 0 bench --arch lenet5 --size 28 --seconds 0 --memory low --json
same null "$(get tuning)"
export DEEPER_TUNING=none
run 0 bench --arch lenet5 --size 28 --seconds 0 --json --plan
same null "$(get tuning)"
lacks out ", tuned"
unset DEEPER_TUNING

# Another file, as JSON; the cache folder that XDG names.
run 0 tune --arch lenet5 --size 28 --threads 1 --batch 2 --json --out mine.json
same "mine.json	1	2" "$(get tuning threads batch)"
empty err
cp mine.json "$work/spaced name.json"
DEEPER_TUNING="$work/spaced name.json"
export DEEPER_TUNING
run 0 bench --arch lenet5 --size 28 --seconds 0 --json
same "$DEEPER_TUNING" "$(get tuning)"
unset DEEPER_TUNING
export XDG_CACHE_HOME="$work/other/cache"
run 0 tune --arch lenet5 --size 28 --threads 1 --quiet
[ -s "$work/other/cache/deeper/tuning.json" ] || fail "nothing in XDG_CACHE_HOME"

# Two at once: what either found is in the file at the end.
"$program" tune --arch lenet5 --size 28 --threads 1 --out both.json --json >first 2>&1 &
run 0 tune --arch lenet5:form=published --size 32 --threads 1 --out both.json --json
kinds=$(get kinds)
wait $! || fail "$(cat first)"
cp first out
kinds=$((kinds + $(get kinds)))
run 0 info --json both.json
same "$kinds" "$(get sets.0.choices)"
same both.json "$(ls -A | grep both)" # and nothing is left beside it

# verify says which it used.
small_model small.safetensors
run 0 verify small.safetensors --against small.safetensors --json
same "$XDG_CACHE_HOME/deeper/tuning.json" "$(get tuning)"

# info says what a file is, of this machine or another, and what is wrong with it.
run 0 info --json mine.json
same "tuning	true	true	1" "$(get kind used sound sets.0.choices)"
same "$(sed -n 's/.*"machine": "\([^"]*\)".*/\1/p' mine.json)" "$(get machine)"
run 0 info mine.json
says out "machine " "1 choice," sound
lacks out "not used here"
sed 's/"machine": "/"machine": "not /' mine.json >foreign.json
run 0 info --json foreign.json
same "tuning	false	true" "$(get kind used sound)"
run 0 info foreign.json
says out "not used here" sound
head -c 200 mine.json >cut.json
run 1 info cut.json
lines err 1
says err "cut.json: " "deeper tune"
sed 's/"points": [0-9]*/"points": 3/' mine.json >odd.json
run 1 info odd.json
lines err 1
says err "odd.json: convolution 1 is not as deeper writes it"

# Of another machine or version: one note, and the work is done without.
sed 's/"machine": "/"machine": "not /' mine.json >"$XDG_CACHE_HOME/deeper/tuning.json"
run 0 bench --arch lenet5 --size 28 --seconds 0 --json
same null "$(get tuning)"
same 1 "$(grep -vc "other programs kept" err)"
says err "another machine" "deeper tune"
run 0 bench --arch lenet5 --size 28 --seconds 0 --json --quiet
same "" "$(grep -v "other programs kept" err)"
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
