# features: pictures and sets into npz, layers by name, bad pictures, what is refused.
. "${0%/*}/common.sh"
small_model small.safetensors
model="--model small.safetensors"
mkdir -p set/n01 set/n02
picture set/n01/1.ppm 200 30 30
picture set/n01/2.ppm 30 30 200
picture set/n02/3.ppm 30 200 30
run 0 features $model --out f.npz set
says out "f.npz: 3 pictures, pool5/7x7_s1"
cp f.npz first.npz
run 0 features $model --out f.npz --layer pool5/7x7_s1 --threads 1 set --json
same "f.npz	pool5/7x7_s1	3	0" "$(get output layer_names.0 images unreadable)"
cmp -s f.npz first.npz || fail "threads change the file"
find set -name '*.ppm' | sort >list
run 0 features $model --out f.npz --layer pool5 - <list
cmp -s f.npz first.npz || fail "other features from a list"
run 0 features $model --out g.npz --layer pool5,inception_3a --data set
says out "3 pictures, pool5/7x7_s1, inception_3a/output"
grep -qa inception_3a/output.npy g.npz || fail "no array of that name"
grep -qa labels.npy g.npz || fail "no labels"

# Bad pictures are named and counted.
echo text >set/n01/4.ppm
run 3 features $model --out f.npz set
says err set/n01/4.ppm
says out "and 1 that could not be read"
rm set/n01/4.ppm

# Nothing is written, or left, when it fails.
mkdir empty gone
run 1 features $model --out gone/f.npz empty
says err "no picture"
run 1 features $model --out gone/f.npz nosuch.ppm
same 0 "$(ls -A gone | wc -l)"
run 1 features $model --out nosuch/f.npz set
lines err 1
"$HELPERS/cli_make_model" googlenet:width=0.0625 5 64 - - bare.safetensors || fail "no model without preprocessing"
run 1 features --model bare.safetensors --out f.npz set
lines err 1
says err "--preprocess"
run 0 features --model bare.safetensors --preprocess unit --out f.npz set

run 2 features $model set
run 2 features $model --out f.npz
run 2 features $model --out f.npz --data set set
run 2 features $model --out f.bin set
run 2 features $model --out f.npz --layer nosuch set
run 2 features $model --out f.npz --layer conv1 set
lines err 1
says err "--layer conv1: 2 layers begin so"
run 2 features $model --out f.npz --layer pool5,pool5 set
run 2 features $model --out f.npz --crops 10 set
run 1 features $model --out f.npz --data nosuch
exit 0
