# train: the run's folder, epochs as JSON lines, stopping by signals and going on to the same bits, bad input, the preview sheet.
. "${0%/*}/common.sh"

# Two classes that differ in colour, 8 pictures each.
mkdir -p set/red set/blue
for n in 1 2 3 4 5 6 7 8; do
    picture "set/red/$n.ppm" $((180 + 8 * n)) 40 $((10 * n))
    picture "set/blue/$n.ppm" $((10 * n)) 40 $((180 + 8 * n))
done
net="--arch googlenet:aux=1,width=0.0625 --size 32 --batch 4 --threads 1"

# ------------------------------------------------------------------------------------------- a
# whole run, as JSON and as text
run 0 train --data set $net --epochs 2 --out one --json --quiet
empty err
lines out 3
same "1	2	true
2	2	true" "$(head -n 2 out | sed 's/"best":false/"best":true/' >two && "$HELPERS/cli_json_get" epoch epochs best <two)"
head -n 2 out >two
"$HELPERS/cli_json_get" train_loss train_losses.main train_losses.aux1 train_losses.aux2 train_top1 val_losses.main val_top1 val_top5 learning_rate images_per_second <two |
    grep -q none && fail "fields of an epoch"
tail -n 1 out >last
same "one	false	2	0" "$("$HELPERS/cli_json_get" run stopped epochs unreadable <last)"
"$HELPERS/cli_json_get" best_epoch best_top1 best_top5 best_loss steps images_seen seconds <last | grep -q none && fail "fields of the end"
for file in model.safetensors last.safetensors log.csv report.html events.out.tfevents.deeper run.json; do
    [ -s "one/$file" ] || fail "no one/$file"
done
[ -n "$(ls -A one/checkpoints)" ] || fail "no checkpoint"
lines one/log.csv 3

# The split is a set of its own, whose validation part measures what the run did.
lines one/split.csv 17
run 0 eval --model one --data one/split.csv --part val --json --quiet
val=$(get images)
same "$(grep -c ',val$' one/split.csv)" "$val"
lines one/predictions.csv $((val + 1))
right=$(tail -n +2 one/predictions.csv | awk -F, '$2 == $3' | wc -l)
same "$right" "$(get top1 | awk "{ print \$1 * $val }")"

run 0 train --data set $net --epochs 1 --out two-runs
says out "epoch 1/1" "validation" "top-1" "best      epoch 1" "report    two-runs/report.html" \
    "deeper eval --model two-runs/model.safetensors --data"
run 0 info --json one/model.safetensors
same "model	2	32" "$(get kind classes image_size)"
run 0 eval --model one/model.safetensors --data set --json
same 16 "$(get images)"
run 0 classify --model one/model.safetensors --top 1 --json set/red/1.ppm
get top.0.id | grep -qx 'red\|blue' || fail "class names"

# What is to be copied is quoted where a shell needs it, and a whole number is one.
run 0 train --data set $net --minutes 0.002 --out "it's a run"
says out "deeper eval --model 'it'\\''s a run'/model.safetensors --data"
! grep -q '^1 epochs' err || fail "'1 epochs' in err"

# A page that cannot be written is said before the search, not after it.
run 1 train --data set $net --lr-find --curve nofolder/page.html
lines err 1
says err "nofolder/page.html: cannot write"

# The network of a run is a start for another, with other classes.
mkdir -p other/a other/b other/c
for class in a b c; do
    cp set/red/[1-4].ppm "other/$class"
done
run 0 train --data other --init one/model.safetensors --epochs 1 --batch 4 --out tuned --json
run 0 info --json tuned/model.safetensors
same "3	32" "$(get classes image_size)"

# An ensemble: a folder a member, which `eval` takes as one model.
run 0 train --data set $net --epochs 1 --ensemble 2 --out team
says out "of the best member" "deeper eval --model team"
[ -s team/member2/model.safetensors ] || fail "no second member"
run 0 eval --model team --data set --table
says out team/member1 team/member2 "all, averaged"
run 0 train --resume --out team --json --quiet
run 2 train --data set $net --ensemble 1 --out none
run 2 train --data set $net --ensemble 2 --preview sheet.png
run 2 train --data set $net --ensemble 2 --out team
lines err 1

# -------------------------------------------------------------------------------------------
# stopped, and gone on with stopped SIGNAL CODE RUN: starts a long run, sends the signal after its
# first epoch; it must end with CODE.
stopped() {
    ran="train, then SIG$1"
    : >out # of the run before: it has an epoch 2 already
    env --default-signal=INT "$program" train --data set $net --epochs 40 --out "$3" --json >out 2>err &
    started=$!
    for i in $(seq 600); do
        grep -q '"epoch":2,' out && break
        sleep 0.1
    done
    kill -USR1 "$started"
    kill -"$1" "$started"
    wait "$started"
    code=$?
    started=
    [ "$code" -eq "$2" ] || fail "exit code $code, not $2"
    tail -n 1 out >last
    same true "$("$HELPERS/cli_json_get" stopped <last)"
    [ "$("$HELPERS/cli_json_get" epochs <last)" -ge 2 ] || fail "a run that was stopped says 0 epochs"
    says err "deeper train --resume --out $3"
}
run 0 train --data set $net --epochs 40 --out whole --json
stopped TERM 143 term
run 0 train --resume --out term --json
tail -n 1 out >last
same "false	40" "$("$HELPERS/cli_json_get" stopped epochs <last)"
cmp whole/last.safetensors term/last.safetensors || fail "a run that was stopped ends in other bits"
stopped INT 130 int
run 0 train --resume --out int --threads 2
cmp whole/last.safetensors int/last.safetensors || fail "two threads end in other bits"

# A run's folder is its model to every command; its checkpoints are none.
run 0 info --json int
same "model	int/model.safetensors" "$(get kind path)"
run 0 classify --model int --json set/red/1.ppm
run 0 convert int int.safetensors
cmp int.safetensors int/model.safetensors || fail "another model"
for checkpoint in int/checkpoints/step-*; do run 1 info "$checkpoint"; done
says err "a checkpoint, from which a run is resumed"

# -------------------------------------------------------------------------------------------------------------
# the preview
run 0 train --data set $net --preview sheet.png
says out sheet.png
run 0 info --json sheet.png
same picture "$(get kind)"
run 0 train --data set $net --preview again.png --json
same again.png "$(get preview)"
cmp sheet.png again.png || fail "two sheets of the same seed"
[ ! -e '(null)' ] || fail "a folder for a preview"

# ------------------------------------------------------------------------------------------------------
# the command of a run The report says how to do it again: with just that, into another folder, it
# comes to the same bits.
run 0 train --data set $net --epochs 1 --warmup 0.5 --average polyak --out "with a 'quote"
sed -n 's/.*<pre>\(deeper train .*\)<\/pre>.*/\1/p' "with a 'quote/report.html" | sed "s/&#39;/'/g;s/&amp;/\&/g" >command
says command "--warmup 0.5" "--average polyak"
mv "with a 'quote" before
eval "$(sed 's/^deeper/"$program"/' command)" >out 2>err || fail "the command of the report: $(cat command)"
cmp before/last.safetensors "with a 'quote/last.safetensors" || fail "the command of the report: other bits"

# ---------------------------------------------------------------------------------------------------------
# a rate is looked for
run 0 train --data set $net --lr-find --curve rates.html --seed 3
says out "suggested" "the loss fell fastest at" "curve     rates.html" "next      deeper train --data set --arch" "--seed 3" "--out RUN"
says rates.html "<svg" "deeper train --data set"
run 0 train --data set $net --lr-find --seed 3 --json
same "null	1e-5" "$(get page points.0.learning_rate)"
get learning_rate steepest command points.59.smoothed | grep -q none && fail "fields of a search"
[ ! -e RUN ] || fail "a run was made"

# ------------------------------------------------------------------------------------------------------------
# the bad ones bad CODE TEXT WORDS...: fails with CODE and just that line, and leaves no run.
bad() {
    want=$1
    text=$2
    shift 2
    run "$want" train --quiet "$@"
    same "deeper$text" "$(cat err)"
    empty out
    [ ! -e bad/run.json ] || fail "a run was made"
}
usage() {
    text=$1
    shift
    bad 2 " train: $text (deeper train --help)" "$@"
}
usage "--data SRC is missing" --out bad
usage "--out RUN is missing" --data set
usage "--curve goes with --lr-find" --data set --out bad --curve bad.html
usage "--preview and --lr-find exclude each other" --data set --preview bad.png --lr-find
usage "--lr-find: a resumed run keeps the options it was started with" --resume --out one --lr-find
usage "--schedule linear: this version takes one of cosine|poly|step|constant" --data set --out bad --schedule linear
usage "--epochs 0: must be a whole number from 1 to 10000" --data set --out bad --epochs 0
usage "--arch and --init exclude each other: --init brings its architecture" --data set --out bad --arch googlenet --init one/model.safetensors
usage "--rate: a resumed run keeps the options it was started with" --resume --out one --rate 1
run 2 train --quiet --data set --out bad --arch nosuch
says err "nosuch: no such architecture; there is googlenet, "
bad 2 ": freeze: no layer's name begins with 'foo' ('deeper summary --layers' lists the names)" --data set --out bad --freeze foo
bad 2 ": rates: 'foo' is not BEGINNING=FACTOR with a factor above 0 ('deeper summary --layers' lists the names)" --data set --out bad --rates foo
bad 2 ": probe: needs a model whose other layers have learnt: give init (--init MODEL)" --data set --out bad --probe

mkdir -p empty oneclass/a corrupt/a corrupt/b
cp set/red/*.ppm oneclass/a
for n in 1 2 3; do echo text | tee "corrupt/a/$n.jpg" >"corrupt/b/$n.jpg"; done
bad 1 ": empty: an empty folder; a data set has a folder of pictures for each class" --data empty --out bad
bad 1 ": oneclass: only one class with pictures; a classifier needs two or more, a folder of pictures each" --data oneclass --out bad
bad 1 ": nosuch: cannot open: No such file or directory" --data nosuch --out bad
bad 1 ": nosuch/run.json: cannot open: No such file or directory; there is no run to resume" --resume --out nosuch
bad 1 ": nosuch/out: cannot make the folder: No such file or directory" --data set $net --out nosuch/out
bad 2 ": one: the folder of a new run is not empty; resume the run in it, or name another" --data set $net --out one
rm -rf bad

# Pictures that cannot be read are named and left out, up to a share.
run 1 train --data corrupt $net --out corrupt-run --json
says err "deeper: corrupt/a/" "more than max_unreadable allows"
says out '{"error":"corrupt/'
cp corrupt/a/1.jpg set/red/bad.jpg
[ ! -e corrupt-run ] || fail "a run that never began left its folder"
run 1 train --data corrupt $net --ensemble 2 --out corrupt-run
[ ! -e corrupt-run ] || fail "an ensemble that never began left its folder"
run 0 train --data set $net --seed 2 --epochs 3 --max-unreadable 0.5 --out named --json
same 1 "$(grep -c "^deeper: set/red/bad.jpg" err)"
run 3 train --data set $net --seed 2 --epochs 1 --max-unreadable 0.5 --strict --out strict --json
tail -n 1 out >last
same 1 "$("$HELPERS/cli_json_get" unreadable <last)"

# A training step, timed.
run 0 bench --train --arch googlenet:aux=1,width=0.0625 --size 64 --batch 2 --threads 1 --seconds 0 --json
same "true	64	2	1" "$(get train image_size batch threads)"
get median_ms images_per_second peak_gflops direct_floor_ms ratio_to_floor isa peak_rss_bytes | grep -q none && fail "fields"
run 2 bench --train --plan
run 0 bench --train --layers --arch googlenet:aux=1,width=0.0625 --size 64 --batch 2 --threads 1 --seconds 0
says out "weight grad" "input grad" "update"
exit 0
