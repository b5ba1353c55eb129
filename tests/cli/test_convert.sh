# convert: formats, preprocessing named and kept, what is refused; nothing is left half-written.
. "${0%/*}/common.sh"
small_model small.safetensors
"$HELPERS/cli_make_model" googlenet:width=0.0625 5 64 - - bare.safetensors || fail "no model without preprocessing"
picture red.ppm 200 30 30

# Preprocessing: unknown stays unknown and is asked for; a name or JSON replaces it, for one command
# or in the file.
run 0 info bare.safetensors
says out "unknown" "--preprocess"
run 0 info bare.safetensors --json
same null "$(get preprocessing)"
for command in "classify red.ppm" "eval --data ."; do
    mkdir -p n && cp red.ppm n/
    run 1 $command --model bare.safetensors
    lines err 1
    says err "--preprocess" "bvlc, vgg, torchvision"
done
run 2 classify --model bare.safetensors --preprocess nosuch red.ppm
lines err 1
says err nosuch "bvlc"
mkdir -p two/a two/b
for i in 1 2 3; do picture two/a/$i.ppm 200 30 $i && picture two/b/$i.ppm 30 200 $i; done
run 1 train --data two --init bare.safetensors --out run
lines err 1
says err "bare.safetensors: does not say how a picture becomes its input" "convert --preprocess"
run 0 classify --model bare.safetensors --preprocess imagenet red.ppm
run 0 convert bare.safetensors named.safetensors --preprocess imagenet --labels labels.txt
run 0 info named.safetensors
says out "recipe         torchvision" "short side to 74" "RGB"
run 0 classify --model named.safetensors red.ppm --json
first=$(cat out)
run 0 classify --model bare.safetensors --preprocess torchvision --labels labels.txt red.ppm --json
same "$first" "$(cat out)"
run 0 classify --model small.safetensors --preprocess torchvision red.ppm --json
same "$first" "$(cat out)"
run 0 convert --list
says out bvlc torchvision inception
run 0 convert --list --json
get preprocess about >/dev/null

# Caffe's two files, and back to the same bytes.
run 0 convert --list
says out .safetensors .caffemodel
mkdir caffe
run 0 convert named.safetensors caffe/net.caffemodel
same "net.caffemodel net.prototxt" "$(echo $(ls caffe))"
says caffe/net.prototxt '# pictures: resize short side to 74' 'type: "Convolution"' 'dim: 64'
run 0 convert caffe/net.caffemodel back.safetensors
cmp -s named.safetensors back.safetensors || fail "not the same after caffemodel"
"$HELPERS/cli_make_model" googlenet:width=0.0625,aux=1 5 112 - - heads.safetensors || fail "no model with heads"
for ending in caffemodel onnx; do # small pictures: no format of others has these heads, so they are left out, and a note says so
    run 0 convert heads.safetensors caffe/heads.$ending --json
    lines err 1
    says err "caffe/heads.$ending: without the auxiliary heads"
    left=$(get parameters)
    run 0 info caffe/heads.$ending --json
    same "$left" "$(get parameters)"
    run 0 verify caffe/heads.$ending --against heads.safetensors
done
"$HELPERS/cli_make_model" googlenet:width=0.0625,aux=1 5 224 - - whole.safetensors || fail "no model with heads"
run 0 convert whole.safetensors whole.caffemodel
lines err 0
run 0 convert whole.caffemodel back.safetensors
cmp -s whole.safetensors back.safetensors || fail "other heads after caffemodel"

run 2 convert small.safetensors
run 2 convert small.safetensors out.unknown
lines err 1
run 1 convert nosuch.safetensors out.safetensors
[ ! -e out.safetensors ] || fail "written"
exit 0
