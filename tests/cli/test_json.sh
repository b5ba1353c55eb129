# The vocabulary of JSON: docs/JSON.md is the program's own table, every key that a command prints is
# in it, and every key of it is written somewhere.
. "${0%/*}/common.sh"
root=${0%/*}/../..

run 0 help json
grep -v '^| key\|^|---' out >table
sed '1,/^| key /d' "$root/docs/JSON.md" | grep '^| `' >documented
cmp -s table documented || fail "docs/JSON.md is not what 'deeper help json' prints: $(diff table documented | head -n 3)"
sed -E 's/^\| `([a-z0-9_]+)`.*/\1/' table | sort >known
same "" "$(uniq -d known)"
for key in $(cat known); do
    grep -qE "KEY_$key\b" "$root"/cli/*.c "$root"/app/json.c || fail "nothing writes the key $key"
done
run 0 help json --json
same "$(wc -l <known)" "$("$HELPERS/cli_json_get" --keys <out | grep -c '^unit$')"

# keys CODE WORDS...: runs the command with --json; what it prints is in the table, and its lines name
# their schema.
keys() {
    run "$@" --json
    "$HELPERS/cli_json_get" --keys <out | sort -u >printed || fail "out is not JSON"
    [ -s printed ] || fail "nothing was printed"
    same "" "$(comm -23 printed known)"
    same "$(wc -l <out)" "$(get schema | grep -c '^1$')"
    cat printed >>seen
}

small_model model.safetensors
for n in 1 2 3 4 5 6; do
    mkdir -p set/train/red set/train/blue set/val/red set/val/blue
    part=train
    [ $n -gt 4 ] && part=val
    picture set/$part/red/$n.ppm $((180 + 8 * n)) 40 $((10 * n))
    picture set/$part/blue/$n.ppm $((10 * n)) 40 $((180 + 8 * n))
done
picture red.ppm 255 0 0
net="--arch googlenet:stem=small,width=0.0625 --size 32 --batch 4 --threads 1"

keys 0 help
keys 0 help summary
keys 0 --help
keys 0 classify --help
keys 0 summary lenet5 --size 28
keys 0 summary --list
keys 3 classify --model model.safetensors red.ppm nosuch.ppm
keys 0 classify --model model.safetensors --crop-sheet crops.png red.ppm
keys 0 convert model.safetensors copy.npz
keys 0 convert --list
keys 0 info model.safetensors
keys 0 info red.ppm
keys 0 info set
keys 0 features --model model.safetensors --out f.npz red.ppm
keys 0 verify model.safetensors --against copy.npz red.ppm
keys 0 bench lenet5 --size 28 --seconds 0 --layers --plan
keys 0 bench lenet5 --size 28 --seconds 0 --train
keys 0 compare lenet5@28 --seconds 0
keys 0 compare --list
keys 0 pull --list
keys 0 tune lenet5 --size 28 --threads 1 --out t.json
keys 0 info t.json
printf 'filename,class,xmin,ymin,xmax,ymax\nred.ppm,cat,0,0,4,4\n' >boxes.csv
printf 'filename,class,xmin,ymin,xmax,ymax,score\nred.ppm,cat,0,0,4,4,1\n' >found.csv
keys 0 info boxes.csv
keys 0 detect --eval boxes.csv --detections found.csv
keys 0 train --data set $net --epochs 1 --out run
keys 0 train --data set $net --preview sheet.png
keys 0 train --data set $net --lr-find
keys 0 eval --model run --data set/val --save-probs whole
keys 0 info whole
keys 0 eval --model run,run --data set/val --table
keys 0 eval --model run --data set/val --shard 1/2 --save-probs a
keys 0 eval --model run --data set/val --shard 2/2 --save-probs b
keys 0 eval --merge merged a b

# What ran above wrote all but what needs a download, a bad picture in training, or counters of energy.
sort -u seen | comm -13 - known >unseen
for key in $(cat unseen); do
    case $key in already_there | resumed_at | warning | unit | keys) ;; *) fail "no command above prints $key" ;; esac
done
exit 0
