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

# Several models are one ensemble; the table has every model and the average, by crops, as text, CSV
# and JSON.
"$HELPERS/cli_make_model" googlenet:width=0.0625 5 64 labels.txt deeper second.safetensors || fail "no second model"
printf 'n01 red\nn02 green\nn03 blue\nn04 grey\nn66 pink\n' >others.txt
"$HELPERS/cli_make_model" googlenet:width=0.0625 5 64 others.txt deeper other.safetensors || fail "no other model"
pair="--model small.safetensors,second.safetensors"
run 0 eval $pair --data val --json
same "2	2	6" "$(get models cost images)"
run 0 eval $pair --data val --crops 10 --table --csv table.csv
says out small.safetensors second.safetensors "all, averaged" base McNemar
lines out 8
lines table.csv 7
says table.csv "model,models,crops,cost,base,images,top1" "all,2,10,20,0,6"
run 0 eval $pair --data val --crops 10 --table --json
lines out 6
same "all	2	10	20" "$(get model models crops cost | tail -n 1)"
run 1 eval --model small.safetensors,other.safetensors --data val
lines err 1
says err other.safetensors n05 "must be the same"
mkdir -p run/member1 run/member2
cp small.safetensors run/member1/model.safetensors
cp second.safetensors run/member2/model.safetensors
run 0 eval --model run --data val --json
same 2 "$(get models)"

# Saved answers: scored again, divided, merged, gone on with.
run 0 eval $pair --data val --crops 10 --save-probs whole --json
cp out computed
run 0 eval --probs whole --json
same "$(get top1 loss calibration_error <out)" "$("$HELPERS/cli_json_get" top1 loss calibration_error <computed)"
run 0 eval --probs whole --crops 1 --combine max --json
same "1	max	2" "$(get crops combine models)"
run 1 eval --probs whole --crops 144
lines err 1
for part in 1 2 3; do run 0 eval $pair --data val --crops 10 --shard $part/3 --save-probs part$part; done
run 0 eval --merge merged part3 part1 part2
cmp whole merged || fail "the merged file is not the whole one"
run 0 eval $pair --data val --crops 10 --save-probs whole --resume
# Killed between the last answer and the name, in the header, while merging.
cp whole killed.part
run 0 eval $pair --data val --crops 10 --save-probs killed --resume
cmp whole killed || fail "the killed evaluation is not the whole one"
head -c 40 whole >header.part
run 0 eval $pair --data val --crops 10 --save-probs header --resume
cmp whole header || fail "the evaluation that was killed in its header is not the whole one"
cp whole joined.part
run 0 eval --merge joined part1 part2 part3
cmp whole joined || fail "the killed merge is not the whole one"
run 1 eval --merge again part3 part1
says err "shard 2 of 3 is missing beside part1, part3" "answers for val with 10 crops and shard 2/3"
lines err 1
run 1 eval --merge again part3
says err "shards 1, 2 of 3 are missing beside part3" "shard 1/3 and so on"
run 0 info part2 --json
same "answers	val	10	2	2	3	true" "$(get kind data crops models shard shards sound)"
run 0 info whole
says out "1, 10" "shard     1 of 1" small.safetensors second.safetensors top-1 sound
head -c 1000 part1 >cut.part
run 1 info cut.part
lines err 1
says err "cut.part: is cut short"
run 1 eval --merge again part3 part1 part1
says err "overlap" "shard 1 of 3"
lines err 1
run 1 eval --merge again small.safetensors
lines err 1
run 2 eval --merge again
run 2 eval --merge again part1 --data val
run 2 eval --probs whole --model small.safetensors
run 2 eval --probs whole more
run 2 eval $model --data val --shard 4/3
says err "--shard 4/3"
run 2 eval $model --data val --shard 1
run 2 eval $model --data val --resume
run 2 eval $model --data val more
head -c 3000 whole >cut
run 1 eval --probs cut
says err "cut short"
lines err 1

# A page.
run 0 eval $pair --data val --table --report page.html
says page.html "Models and crops" Calibration "Worst mistakes" "deeper eval --model small.safetensors,second.safetensors"
run 0 eval --probs whole --report page2.html
says page2.html "Worst mistakes"
run 1 eval --probs whole --report page3.html --data list.txt
lines err 1
run 1 eval $model --data val --report nofolder/page.html
lines err 1
empty out # said before the work, not after it
run 1 eval $model --data val --csv .
says err "Is a directory"
run 1 eval --model m.safetensors, --data val
says err "'m.safetensors,': a name between the commas is empty"
run 1 eval $model --data val --csv nofolder/table.csv

# A bad picture is left out and named.
echo text >val/n03/3.ppm
run 0 eval $model --data val
run 3 eval $model --data val --json --strict
same "6	1" "$(get images unreadable | tail -n 1)"
says err val/n03/3.ppm
rm val/n03/3.ppm

# Folders that the model does not know.
mkdir val/n77
picture val/n77/1.ppm 1 1 1
run 1 eval $model --data val
says err n77
exit 0
