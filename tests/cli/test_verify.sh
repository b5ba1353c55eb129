# verify: models against models and against recordings, thresholds, what is refused.
. "${0%/*}/common.sh"
small_model small.safetensors
picture red.ppm 200 30 30
run 0 convert small.safetensors copy.caffemodel
run 0 verify small.safetensors --against copy.caffemodel
says out "compared" "1 input" "all within 0.0001: the same"
run 0 verify small.safetensors --against copy.caffemodel red.ppm red.ppm --json
same "2	true	0.0" "$(get inputs agree worst.relative)"
run 0 verify small.safetensors --against copy.caffemodel --layers
says out "within    conv1/7x7_s2: 0"

# Other weights: they part at the first layer.
"$HELPERS/cli_make_model" googlenet:width=0.0625,norm=none 5 64 - - other.safetensors || fail "no other model"
run 0 convert small.safetensors small.npz
"$HELPERS/cli_make_model" googlenet:width=0.0625 5 48 - - size.safetensors || fail "no model of another size"
run 4 verify small.safetensors --against other.safetensors
says out "part at" "not the same"
run 4 verify small.safetensors --against other.safetensors --json
same "false" "$(get agree)"
run 0 verify small.safetensors --against other.safetensors --tolerance 1e9
run 0 verify small.safetensors --against small.npz
run 1 verify small.safetensors --against size.safetensors
lines err 1
says err "3x64x64 and 3x48x48"

# Recordings: raw files.
mkdir rec
head -c 49152 /dev/zero >rec/data_1x3x64x64.f32
head -c 20 /dev/zero >rec/prob_1x5.f32
run 4 verify small.safetensors --against rec
says out "1 tensor of 1 input" "part at   prob"
run 0 verify small.safetensors --against rec --names prob=loss3/classifier
says out "loss3/classifier (prob)"
run 2 verify small.safetensors --against rec --names nosuch=prob
lines err 1
run 2 verify small.safetensors --against rec red.ppm
rm rec/data_1x3x64x64.f32
run 1 verify small.safetensors --against rec
lines err 1
says err "no input"

run 2 verify small.safetensors
run 2 verify
run 1 verify small.safetensors --against nosuch.npz
lines err 1
run 1 verify small.safetensors --against copy.caffemodel nosuch.jpg
lines err 1
says err nosuch.jpg
echo "not a recording" >text.npz
run 1 verify small.safetensors --against text.npz
lines err 1
exit 0
