# `detect` scores detections against sets with boxes; `info` tells such sets and what is unsound.
. "${0%/*}/common.sh"

for name in a b; do picture $name.ppm 10 20 30; done
cat >set.csv <<END
filename,width,height,class,xmin,ymin,xmax,ymax
a.ppm,8,6,cat,0,0,4,4
a.ppm,8,6,dog,4,0,8,4
b.ppm,8,6,cat,1,1,5,5
END
cat >found.csv <<END
filename,class,xmin,ymin,xmax,ymax,score
a.ppm,cat,0,0,4,4,0.9
a.ppm,cat,4,0,8,4,0.8
b.ppm,cat,1,1,5,5,0.7
b.ppm,cow,1,1,5,5,0.6
END
run 0 detect --eval set.csv --detections found.csv
says out "2 photos, 3 boxes, 2 classes" "1 unknown_class" "voc07" "ilsvrc" "class" "on a box of another class"
says err "found.csv:5: the set has no class cow"
run 0 detect --eval set.csv --detections found.csv --json --resamples 0
# cat: right, wrong, right, so 51 points of precision 1 and 50 of 2/3; dog: none.
same "0.417491" "$(get figures.1.figure | cut -c1-8)"
same "voc10" "$(get figures.13.protocol)"
same 1 "$(get mistakes.0.count)"
same dog "$(get class_figures.1.name)"
run 2 detect --eval set.csv
says err "--detections FILE is missing"
run 1 detect --eval nowhere --detections found.csv
run 1 detect --eval set.csv --detections set.csv
says err "and score"

run 0 info set.csv
says out "csv" "3 in 2 classes" "2  cat in 2 photos" "sound"
printf 'b.ppm,8,6,cat,5,5,5,9\nc.ppm,8,6,cat,0,0,2,2\n' >>set.csv
run 1 info set.csv
says out "1 empty" "1 outside" "1 missing_photos" "not sound"
says err "c.ppm: no such photo"
run 1 info --json set.csv
same "empty" "$(get faults.0.name)"
