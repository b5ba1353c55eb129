# The published network on recorded photos: what an independent program found, within what the issue allows. Skipped without the data.
. "${0%/*}/common.sh"
data=${DEEPER_TEST_DATA:-$SOURCE/../shared}
[ -f "$data/models/bvlc_googlenet.caffemodel" ] || { echo "skipped: no recorded data in $data"; exit 77; }

# near VALUE WANTED BY
near() {
    awk -v a="$1" -v b="$2" -v by="$3" 'BEGIN { exit !(a - b <= by && b - a <= by) }' || fail "$1 is not within $3 of $2"
}

run 0 convert "$data/models/bvlc_googlenet.caffemodel" googlenet.safetensors
run 0 info --json googlenet.safetensors
same "safetensors	1000	6998552	true" "$(get format classes parameters labels)"
says out BGR

# The recorded cat: class 282 at 0.377. Pixels differ by a level here and there from the recording's
# decoder and filter.
for model in googlenet.safetensors "$data/models/bvlc_googlenet.caffemodel"; do
    run 0 classify --json --model "$model" "$data/golden/bvlc_googlenet/cat.jpg"
    same "n02123159	tiger cat	[5]" "$(get top.0.id top.0.name top)"
    near "$(get top.0.p)" 0.377 0.01
done
# 250 photos that the weights have not seen; two photos are 0.008.
run 4 eval --json --model googlenet.safetensors --data "$data/data/ilsvrc-val" --min-top5 0.9 --min-top1 0.9
same "250	0" "$(get images unreadable)"
near "$(get top1)" 0.712 0.008
near "$(get top5)" 0.924 0.008
says err "--min-top1"
lacks err "--min-top5"

# A model that is not sound, and one of another network.
head -c 1000000 "$data/models/bvlc_googlenet.caffemodel" >cut.caffemodel
run 1 convert cut.caffemodel out.safetensors
lines err 1
says err cut.caffemodel
[ ! -e out.safetensors ] || fail "something was written"

# pull of a file that is there under its name, and then no --model is needed.
hash=sha256:$(sha256sum "$data/models/bvlc_googlenet.caffemodel" | cut -d ' ' -f 1)
"$program" pull bvlc_googlenet --from "$data/models/bvlc_googlenet.caffemodel" --hash "$hash" >out 2>err
code=$?
grep -q "no libcurl" err || same 0 $code
if [ $code -eq 0 ]; then
    run 0 classify --json --top 1 "$data/golden/bvlc_googlenet/cat.jpg"
    same n02123159 "$(get top.0.id)"
    run 0 classify --json --top 1 --model bvlc_googlenet "$data/golden/bvlc_googlenet/cat.jpg"
fi
exit 0
