# compare: the table, its JSON, CSV and page, a tiny budget of training, going on, a member that fails, presets, bad input.
. "${0%/*}/common.sh"

mkdir -p set/train/red set/train/blue set/val/red set/val/blue
for n in 1 2 3 4 5 6 7 8; do
    part=train
    [ $n -gt 6 ] && part=val
    picture "set/$part/red/$n.ppm" $((180 + 8 * n)) 40 $((10 * n))
    picture "set/$part/blue/$n.ppm" $((10 * n)) 40 $((180 + 8 * n))
done

# ------------------------------------------------------------------------------------------- costs
# alone
run 0 compare lenet5@32 alexnet@227 googlenet --seconds 0 --json
lines out 3
same "lenet5@32	145856	499680
alexnet@227	60965224	724406816
googlenet	6998552	1582671872" "$(get member parameters multiply_adds)"
run 0 compare lenet5@32 --classes 10 --seconds 0 --json
same "lenet5	32	61706	416520	null" "$(get architecture image_size parameters multiply_adds forward_ms )"
run 0 compare lenet5@32 --classes 10 --seconds 0
says out network 61.7K 417K
run 0 compare lenet5@28 --classes 10 --seconds 0.01 --batch 2 --threads 1 --json
get forward_ms training_images_per_second arena_bytes | grep -q 'null' && fail "speeds"
says err "energy is not measured" || true
run 0 compare lenet5@28 googlenet:stem=small,width=0.0625@32 --seconds 0
same "" "$(awk 'length > 80' out)"

# -------------------------------------------------------------------------------------------
# trained, a page and a table
net="googlenet:stem=small,width=0.0625"
run 0 compare lenet5 $net $net@32 --size 28 --seconds 0 --threads 1 --batch 4 --data set --epochs 2 --out one --json
lines out 3
same "lenet5	28	1	2	24	4
$net	28	1	2	24	4
$net@32	32	1	2	24	4" "$(get member image_size crops epochs images_seen images)"
get top1 top1_low top1_high top5 train_seconds | grep -q 'null' && fail "accuracy"
lines one/compare.csv 4
head -n 1 one/compare.csv | grep -q '^member,architecture,options,image_size,crops,error,parameters,multiply_adds,' || fail "the header"
grep -q '^lenet5,lenet5,form=dense,28,1,,' one/compare.csv || fail "the row"
says one/compare.html "<svg" "Top-1 over multiply-adds" lenet5 "$net@32" "trained for 2 epochs"
lacks one/compare.html "<script" "http://" "https://"
[ -s "one/runs/lenet5@28/model.safetensors" ] || fail "no run"
run 0 eval --model "one/runs/googlenet_stem=small_width=0.0625@28" --data set --json

# Again: the folder is taken; with --resume nothing is trained anew and a further member joins;
# other crops use the same run.
run 2 compare lenet5 --size 28 --data set --epochs 2 --out one
says err "not empty"
before=$(ls -l --time-style=full-iso one/runs/lenet5@28/model.safetensors)
run 0 compare lenet5 lenet5/10 lenet5@32 --size 28 --seconds 0 --threads 1 --batch 4 --data set --epochs 2 --out one --resume --json
same "lenet5	1	4
lenet5/10	10	4
lenet5@32	1	4" "$(get member crops images)"
same "$before" "$(ls -l --time-style=full-iso one/runs/lenet5@28/model.safetensors)"

run 2 compare lenet5 --size 28 --data set --classes 3 --out none
says err "--classes is for networks that are not trained"

# A member that fails is named, the rest goes on.
mkdir -p bad/runs
: >"bad/runs/lenet5@28"
run 3 compare lenet5 lenet5@32 --size 28 --seconds 0 --threads 1 --batch 4 --data set --epochs 1 --out bad --resume --json
same "2" "$(grep -c '"member"' out)"
grep '"member":"lenet5",' out | grep -q '"error":"' || fail "the error of a member"
grep '"member":"lenet5@32"' out | grep -q '"error":null' || fail "the other member"
says err "lenet5: "
run 3 compare lenet5 lenet5@32 --size 28 --seconds 0 --threads 1 --batch 4 --data set --epochs 1 --out bad --resume
says out "failed: "

# -------------------------------------------------------------------------------------------
# presets
run 0 compare --list --json
same "reduction aux pooling depth-width size norm dropout crops" "$(get preset | tr '\n' ' ' | sed 's/ $//')"
run 0 compare --preset reduction --seconds 0 --json
same "googlenet:module=reduced	6998552
googlenet:module=naive	97526008" "$(get member parameters)"
run 0 compare --preset norm --base googlenet:stem=small,width=0.5 --size 32 --seconds 0 --json
same 'googlenet:stem=small,width=0.5,norm=bn' "$(get member | sed -n 2p)"
for preset in aux pooling depth-width size dropout; do
    run 0 compare --preset $preset --base googlenet:stem=small --size 32 --seconds 0
done
run 0 compare --preset crops --base lenet5 --size 28 --seconds 0 --threads 1 --batch 4 --data set --epochs 1 --out crops --json
same "1 10 144" "$(get crops | tr '\n' ' ' | sed 's/ $//')"

# ------------------------------------------------------------------------------------------- bad
# input: one line each
bad() {
    want=$1
    text=$2
    shift 2
    run "$want" compare "$@"
    lines err 1
    says err "$text"
    empty out
}
bad 2 "name the networks to compare, or a --preset"
bad 2 "name the networks to compare, or a --preset" lenet5 --preset norm
bad 2 "nosuch: no such architecture; there is googlenet" lenet5 nosuch
bad 2 "lenet5: no option 'width'; there are form" lenet5:width=2
bad 1 "pictures of 7 pixels are too small" lenet5@7
bad 2 "after @ stands the side of its pictures" lenet5@x
bad 2 "after / stands the number of its crops" lenet5/3
bad 2 "crops are of trained networks" lenet5@32/10
bad 2 "--base is what a --preset varies" lenet5 --base googlenet
bad 2 "'norm=lrn': norm is set twice" --preset norm --base googlenet:norm=bn
bad 2 "--minutes goes with --data" lenet5 --minutes 1
bad 2 "depth=10,aux=1 and googlenet:depth=10,aux=0 are the same network" --preset aux --base googlenet:depth=10
bad 2 "lenet5 and lenet5:form=dense are the same network" lenet5 alexnet lenet5:form=dense
bad 2 "--data needs --out" lenet5@28 --data set
exit 0
