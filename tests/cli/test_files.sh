# info, convert, bench.
. "${0%/*}/common.sh"
small_model small.safetensors
picture red.ppm 200 10 10

run 0 info small.safetensors
says out googlenet classes parameters sound
run 0 info --json small.safetensors
lines out 1
same "model	googlenet	5	true	true	64" "$(get kind architecture classes labels sound image_size)"
run 0 info --json red.ppm
same "picture	8	6" "$(get kind width height)"
mkdir -p set/a set/b
cp red.ppm set/a
run 1 info --json set
says err "class 'b' has no pictures"
same "dataset	1	1	false" "$(get kind images empty_classes sound)"
cp red.ppm set/b
run 1 info set
says err "set/b/red.ppm: the same picture as set/a/red.ppm, which is of class a, not b"
says out "2 pictures" "2 classes" "not sound"
picture set/b/red.ppm 10 200 10
run 0 info set
says out "2 pictures" "2 classes"
mkdir parts
cp -r set parts/train
cp -r set parts/val
run 1 info --json parts
says err "to validate with, but the same picture as parts/train/a/red.ppm, which is trained on"
same "2	2	0	true	false" "$(get images leaked unreadable checked sound)"
picture parts/val/a/red.ppm 1 2 3
picture parts/val/b/red.ppm 3 2 1
run 0 info --json parts
both=$(get fingerprint images sound)
echo text >parts/val/b/red.ppm
run 1 info parts
says err "parts/val/b/red.ppm: "
says out "1 unreadable"
picture parts/val/b/red.ppm 3 2 1
tar cf parts.tar parts
if "$program" info parts.tar 2>err >out || ! grep -q "no libarchive" err; then
    run 0 info --json parts.tar
    same "$both" "$(get fingerprint images sound)"
    run 0 info --json parts.tar:parts/val
    same 2 "$(get images)"
    run 1 info parts.tar:parts/nosuch
    lines err 1
    gzip -k parts.tar
    run 1 info parts.tar.gz
    lines err 1
    says err "gunzip"
fi
printf '\0\0\010\003\0\0\0\002\0\0\0\001\0\0\0\001\001\002' >t-images-idx3-ubyte
printf '\0\0\010\001\0\0\0\002\007\001' >t-labels-idx1-ubyte
run 0 info --json t-images-idx3-ubyte
same "2	true	2" "$(get images sound tiny)"
run 1 info t-labels-idx1-ubyte
lines err 1
printf 'set/a/red.ppm 3\n' >list
run 0 info --json list
same "dataset	1" "$(get kind images)"
: >nothing

# The wrong folder: the first faults are named and the rest counted, unless all are asked for.
mkdir -p wrong/only
for n in $(seq 25); do echo "no picture" >wrong/only/$n.jpg; done
run 1 info wrong
lines err 21
says err "wrong: and 5 more; --check names them all"
says out "25 pictures in 1 class" "25 unreadable"
lacks out "1 classes"
run 1 info --check wrong
lines err 25
run 1 info nothing
lines err 1
run 1 info nosuch
lines err 1
says err nosuch
head -c 2000 small.safetensors >cut.safetensors
run 1 info cut.safetensors
lines err 1
says err cut.safetensors
printf '\377\377\377\377\377\377\377\000{}' >header.safetensors
run 1 info header.safetensors
lines err 1

run 0 convert --json small.safetensors copy.safetensors
same "small.safetensors	copy.safetensors	googlenet" "$(get input output architecture)"
run 0 convert copy.safetensors again.safetensors
cmp -s copy.safetensors again.safetensors || fail "a copy of a copy differs"
# ONNX and back to the same file; every command takes it; a graph that is none of our networks runs
# too.
run 0 convert small.safetensors small.onnx
run 0 convert small.onnx back.safetensors
cmp -s copy.safetensors back.safetensors || fail "a copy through ONNX differs"
run 0 convert --with-preprocessing small.safetensors inside.onnx
run 0 convert inside.onnx back.safetensors
cmp -s copy.safetensors back.safetensors || fail "a copy through ONNX with preprocessing differs"
run 2 convert --with-preprocessing small.safetensors out.safetensors
says err "only ONNX"
run 0 info --json small.onnx
same "onnx	googlenet	5	true" "$(get format architecture classes labels)"
run 0 classify --model small.safetensors --json red.ppm
top=$(get top.0.id top.0.p)
run 0 classify --model small.onnx --json red.ppm
same "$top" "$(get top.0.id top.0.p)"
run 0 summary --model small.onnx
run 0 bench --model small.onnx --seconds 0 --json
head -c 3000 small.onnx >cut.onnx
run 1 info cut.onnx
lines err 1
says err "cut.onnx: not a sound ONNX model, or cut short"
run 2 convert small.safetensors out.model
says err "out.model: the ending says the format" .safetensors
run 1 convert cut.safetensors out.safetensors
run 1 convert small.safetensors nosuchfolder/out.safetensors
lines err 1
# Through NumPy's form and back; a build without libzip says so.
run 0 convert small.safetensors small.npz
if "$program" convert small.npz back.safetensors >out 2>err; then
    cmp -s small.safetensors back.safetensors || fail "npz lost something"
else
    says err "libzip"
fi
# What is no ordinary file is refused at once, and named.
mkfifo pipe.jpg
for command in "info pipe.jpg" "classify --model pipe.jpg red.ppm" "convert pipe.jpg out.onnx" \
    "classify --model small.safetensors --labels pipe.jpg red.ppm" \
    "classify --model small.safetensors @pipe.jpg" "verify small.safetensors --against pipe.jpg" \
    "eval --probs pipe.jpg" "eval --model small.safetensors --data pipe.jpg" \
    "info --json /dev/zero"; do
    ran=$command
    # shellcheck disable=SC2086
    timeout 20 "$program" $command >out 2>err
    same 1 $?
    says err "is not an ordinary file"
done
cp -r set piped
mkfifo piped/a/z.jpg
ran="info with a pipe among the pictures"
timeout 20 "$program" info piped >out 2>err
same 1 $?
says err "piped/a/z.jpg: is not an ordinary file"
run 3 classify --model small.safetensors pipe.jpg red.ppm
says err "pipe.jpg: is not an ordinary file"
run 0 classify --model small.safetensors /dev/stdin <red.ppm
cat red.ppm | run 0 classify --model small.safetensors /dev/stdin

# A model's file that is shortened while it is read: a line, and no signal.
ran="classify while its model is shortened"
mkfifo words
rm out
"$program" classify --model small.safetensors - <words >out 2>err &
started=$!
exec 3>words
echo red.ppm >&3
tries=0
until [ -s out ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "no answer"
    sleep 0.1
done
kill -BUS $started
wait $started
same 1 $?
exec 3>&-
says err "was shortened"

# A pickle that would run a command: refused by the command's name.
printf '\200\002\212\012\154\374\234\106\371\040\152\250\120\031.\200\002M\351\003.\200\002}.\200\002cposix\nsystem\nX\4\0\0\0true\205R.' >evil.pth
run 1 info evil.pth
lines err 1
says err "asks to call posix.system; refused"
# A disk that takes no more: an error, no file, and no half of one.
ran="convert with a full disk"
mkdir full
(trap '' XFSZ && ulimit -f 8 && exec "$program" convert small.safetensors full/out.safetensors) >out 2>err
same 1 $?
lines err 1
same "" "$(ls -A full)"

run 0 bench --arch googlenet:width=0.0625 --threads 1 --seconds 0 --json
same "fp32	1	1" "$(get precision threads batch)"
get median_ms images_per_second peak_gflops direct_floor_ms ratio_to_floor isa logit_checksum peak_rss_bytes arena_bytes | grep -q none \
    && fail "fields"
checksum=$(get logit_checksum)
run 0 bench --arch googlenet:width=0.0625 --threads 2 --batch 3 --seconds 0 --json
same "$checksum	2	3" "$(get logit_checksum threads batch)"
run 0 bench --model small.safetensors --seconds 0 --plan
says out "ratio" "median"
run 0 bench --model small.safetensors --seconds 0 --plan=choose
says out "algorithm" "images as pixels" "median"
run 0 bench --model small.safetensors --seconds 0 --plan=place
says out "storage" "halo" "median"
run 2 bench --model small.safetensors --plan=fold
says err "simplify|choose|place|lower|arena"
run 0 bench --model small.safetensors --seconds 0 --layers
says out "conv1/7x7_s2" "ratio" "max pool"
run 0 bench --model small.safetensors --seconds 0 --layers --json
says out '"layers":[{' '"operation":"conv"'
DEEPER_ISA=nosuch run 2 bench --seconds 0
lines err 1
exit 0
