# data sets as commands meet them: parts, litter beside pictures, what is refused, loops.
. "${0%/*}/common.sh"

# large FILE RED GREEN BLUE: a picture of 16 x 16 pixels, which info does not call tiny.
large() {
    pixel=$(printf '\\%03o\\%03o\\%03o' "$2" "$3" "$4")
    row=$pixel$pixel$pixel$pixel$pixel$pixel$pixel$pixel
    {
        printf 'P6\n16 16\n255\n'
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do printf "$row$row"; done
    } >"$1"
}

small_model m.safetensors
for part in Training Testing; do
    for class in n01 n02; do
        mkdir -p "set/$part/$class"
        for n in 1 2 3 4; do large "set/$part/$class/$n.ppm" $((60 * ${class#n0})) $((20 * n)) ${#part}; done
    done
done
: >set/Training/n01/Thumbs.db
: >set/Training/n01/.DS_Store
echo 'file,label' >set/Testing/n01/labels.csv
mkdir -p set/__MACOSX/Training/n01
: >set/__MACOSX/Training/n01/1.ppm
ln -s ../.. set/Training/n01/loop
net="--arch googlenet:width=0.0625 --size 32 --batch 4 --threads 1 --epochs 1"

# Parts by their usual names; what is passed over is no fault.
run 0 info set
says out "parts        set/Training, set/Testing" "8 pictures in 2 classes"
says err "set/Training/n01/loop: a link to a folder that it is in"
run 0 info --json set
same "set/Training	8	set/Testing	8	true" "$(get data images val.data val.images sound)"
run 0 eval --model m.safetensors --data set
says err "the pictures are those of set/Testing"
run 0 eval --model m.safetensors --data set --json --quiet
same "8	set/Testing	0" "$(get images data unreadable)"
run 0 features --model m.safetensors --data set --out f.npz --json
same "set/Testing" "$(get data)"
says err "the pictures are those of set/Testing"
run 0 train --data set $net --out run
says err "2 classes, 8 pictures to train on, 8 to validate on" "loop: a link to a folder"
run 0 classify --model m.safetensors --top 1 --json set/Training
lines out 8
says err "set/Training/n01/loop: a link to a folder that it is in"

# A set one level too high, parts without classes, parts beside what is none: the folder to name.
mkdir -p high/colour high/grey loose/train loose/test
cp -r set/Testing/n0? high/colour
cp -r set/Testing/n0? high/grey
cp set/Testing/n01/*.ppm loose/train
cp set/Testing/n02/*.ppm loose/test
cp -r set mixed
cp -r set/Testing/n01 mixed/papers
for command in "info" "eval --model m.safetensors --data" "train $net --out none --data"; do
    run 1 $command high
    says err "give high/colour"
    run 1 $command loose
    says err "loose/test: a part of the set by its name"
    run 1 $command mixed
    says err "'papers'" "mixed/Training"
done
[ ! -e none ] || fail "a run's folder is left behind"

# An unlabelled part is left aside; without another one there is nothing to measure on.
mkdir -p kaggle/test
cp -r set/Training kaggle/train
cp set/Testing/n01/*.ppm kaggle/test
run 0 train --data kaggle $net --out second
says err "kaggle/test: holds pictures but no class folders"
run 1 eval --model m.safetensors --data kaggle
says err "give kaggle/train"

# Lists with class names, with a heading or without, in parts or not.
printf 'Training/n01/1.ppm,n01\nTesting/n02/1.ppm,n02\n' >set/list.csv
run 0 eval --model m.safetensors --data set/list.csv --json --quiet
same "2	set/list.csv" "$(get images data)"
printf 'file;species;split\n' >set/parts.csv
for part in Training Testing; do
    for file in set/$part/n0?/?.ppm; do
        class=${file#set/*/}
        echo "${file#set/};${class%/*};$part" >>set/parts.csv
    done
done
run 0 info set/parts.csv
says out "parts        set/parts.csv:train, set/parts.csv:test" "4  n01"
run 0 train --data set/parts.csv $net --out listed
says err "2 classes, 8 pictures to train on, 8 to validate on"
run 0 eval --model m.safetensors --data set/parts.csv --part train --json --quiet
same "8	set/parts.csv:train" "$(get images data)"
run 0 features --model m.safetensors --data set --part train --out g.npz --json
same "8	set/Training" "$(get images data)"
run 1 eval --model m.safetensors --data set --part val
says err "set: has no part 'val'"
run 1 eval --model m.safetensors --data set/list.csv --part test
says err "it is one set"
