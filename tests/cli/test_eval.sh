# eval: counts, matching by name, lists, thresholds, bad pictures.
. "${0%/*}/common.sh"
small_model small.safetensors
model="--model small.safetensors"
for class in n01 n02 n03; do
    mkdir -p "val/$class"
    picture "val/$class/1.ppm" 200 30 30
    picture "val/$class/2.ppm" 30 30 200
done
run 0 eval $model --data val --json
lines out 1
same "6	0	1" "$(get images unreadable crops)"
get top1 top5 loss images_per_second | grep -q none && fail "fields"
same "1.0" "$(get top5)" # five classes
run 0 eval $model --data val
says out top-1 top-5 loss
run 0 eval $model --data val --crops 10 --json
same "10	mean" "$(get crops combine)"
run 0 eval $model --data val --crops 144 --combine geometric --json
same "144	geometric	6" "$(get crops combine images)"

# A list with labels that are numbers, relative to its folder, or to --root.
printf 'val/n01/1.ppm 0\nval/n02/2.ppm 1\n' >list.txt
run 0 eval $model --data list.txt --json
same 2 "$(get images)"
printf 'n01/1.ppm 0\nn02/2.ppm 1\n' >rooted.txt
run 0 eval $model --data rooted.txt --root val --json
same 2 "$(get images)"
run 2 eval $model --data val --root val
run 1 eval $model --data nosuch
lines err 1
says err nosuch
printf 'val/n01/1.ppm 99\n' >outside.txt
run 1 eval $model --data outside.txt
lines err 1

run 0 eval $model --data val --min-top5 1
run 4 eval $model --data val --min-top1 1
says err "--min-top1" "not met"
says out top-1
run 2 eval $model --data val --min-top1 70

# A bad picture is left out and named.
echo text >val/n03/3.ppm
run 3 eval $model --data val --json
same "6	1" "$(get images unreadable | tail -n 1)"
says err val/n03/3.ppm
rm val/n03/3.ppm

# Folders that the model does not know.
mkdir val/n77
picture val/n77/1.ppm 1 1 1
run 1 eval $model --data val
says err n77
exit 0
