# classify: every way to name pictures, streams, bad input beside good, names of any bytes.
. "${0%/*}/common.sh"
small_model small.safetensors
mkdir -p photos/deep/empty other
picture photos/b.ppm 200 30 30
picture photos/A.PPM 30 200 30
picture photos/deep/c.ppm 30 30 200
picture 지단.ppm 120 130 140
cp 지단.ppm 지단.jpg # a picture is what it holds, not how it ends
echo "no picture" >photos/notes.txt
picture photos/.hidden.ppm 1 2 3
model="--model small.safetensors"

run 0 classify $model --json --top 2 photos/b.ppm
lines out 1
same "photos/b.ppm	[2]	none" "$(get path top error)"
get top.0.id | grep -q '^n0[1-5]$' || fail "no id"
get top.0.class | grep -q '^[0-4]$' || fail "no class number"
run 0 classify $model --json photos/b.ppm
same "[5]" "$(get top)"
run 0 classify $model photos/b.ppm
says out photos/b.ppm " %" thing
lines out 6

# The plan of little memory gives the same answer.
run 0 classify $model --json --top 2 photos/b.ppm
answer=$(get top.0.id)
run 0 classify $model --memory low --json --top 2 photos/b.ppm
same "$answer" "$(get top.0.id)"

# A folder in byte order, without hidden names and files that are no pictures; links that lead back
# up end.
ln -s .. photos/deep/up
run 0 classify $model --json photos
same "photos/A.PPM photos/b.ppm photos/deep/c.ppm" "$(get path | tr '\n' ' ' | sed 's/ $//')"
run 0 classify $model --json 'photos/*.ppm' 'photos/deep/?.ppm'
same "photos/b.ppm photos/deep/c.ppm" "$(get path | tr '\n' ' ' | sed 's/ $//')"

# Names of any bytes.
run 0 classify $model --json 지단.jpg 지단.ppm
same "지단.jpg 지단.ppm" "$(get path | tr '\n' ' ' | sed 's/ $//')"
run 0 classify $model 지단.jpg
says out 지단.jpg
odd=$(printf 'odd\351\n.ppm')
cp photos/b.ppm "$odd"
run 0 classify $model --json "$odd"
lines out 1
get path | grep -q odd || fail "no path"
run 0 classify $model "$odd"
lines out 6
# Names that would move a terminal: a control of 8 bits, an order to write from right to left.
moves=$(printf 'a\302\2332Jb\342\200\256gpj.ppm')
cp photos/b.ppm "$moves"
run 0 classify $model "$moves"
says out 'a?2Jb?gpj.ppm'
run 0 classify $model --json "$moves"
says out 'a\u009B2Jb\u202Egpj.ppm'
same "$moves" "$(get path)"
run 3 classify $model "no$moves"
says err 'noa?2Jb?gpj.ppm'
cp photos/b.ppm 'star[1]*.ppm'
run 0 classify $model --json 'star[1]*.ppm'

# Lists: lines, blank lines, Windows line ends, zero bytes, a file, a last line without end.
printf 'photos/b.ppm\n\nphotos/A.PPM\r\n지단.jpg' >list
run 0 classify $model --json @list
lines out 3
"$program" classify $model --json - <list >out 2>err || fail "list on stdin"
lines out 3
printf 'photos/b.ppm\0%s\0' "$odd" >zeros
run 0 classify $model --json -0 @zeros
lines out 2
run 3 classify $model --json @zeros photos/b.ppm
says err "zero byte" "-0"
head -c 9000 /dev/zero | tr '\0' x >long
echo >>long
echo photos/b.ppm >>long
run 3 classify $model --json @long
says err "line 1"
same "long	none photos/b.ppm	[5]" "$(get path top | tr '\n' ' ' | sed 's/ $//')"
ran="classify - <a picture"
printf '\377\330\377\340 JPEG\n\nmore\n' >piped.jpg
"$program" classify $model - <piped.jpg >out 2>err && fail "a picture as a list"
says err "a picture is named itself (/dev/stdin for one that is piped)"
lacks err "No such file"
run 1 classify $model --json @nolist
says err nolist
: >nothing
run 1 classify $model @nothing
says err "no picture"

# Bad pictures are named and the rest goes on.
echo "plain text" >text.jpg
: >empty.jpg
head -c 40 photos/b.ppm >cut.ppm
printf 'P6\n60000 60000\n255\n' >huge.ppm
run 3 classify $model --json text.jpg empty.jpg cut.ppm huge.ppm missing.jpg photos/b.ppm
lines out 6
same 5 "$(grep -c "^deeper: " err)"
for name in text.jpg empty.jpg cut.ppm huge.ppm missing.jpg; do
    same 1 "$(grep -c "^deeper: $name: " err)"
    get path error | grep "^$name	" | grep -qv "none$" || fail "no error for $name in JSON"
done
lacks out '"error":"text.jpg'
same "photos/b.ppm" "$(get path top.0.id | grep -v none | cut -f 1)"
run 3 classify $model missing.jpg
run 3 classify $model 'no*match' photos/b.ppm
says err "no file matches"

# Folders without pictures.
run 1 classify $model other
says err "other: no pictures"
run 3 classify $model other photos/b.ppm

# Results come while the list is still being written.
mkfifo slow
"$program" classify $model --json - <slow >out 2>err &
id=$!
exec 3>slow
for name in photos/b.ppm photos/A.PPM; do
    echo $name >&3
    tries=0
    until grep -q "$name" out; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || fail "no result while the pipe is open"
        sleep 0.1
    done
done
exec 3>&-
wait $id || fail "exit code of the slow list"

# The same answers whatever the threads; crops.
run 0 classify $model --json --threads 1 photos
cp out one
run 0 classify $model --json --threads 3 photos
cmp -s out one || fail "threads change the answer"
run 0 classify $model --json --crops 10 photos/b.ppm
get top.0.p | grep -q '^0\.' || fail "crops"

# A model without labels: classes are their numbers. A list of paths may begin with a mark.
"$HELPERS/cli_make_model" lenet5 4 28 - deeper bare.safetensors || fail "no bare model"
run 0 classify --model bare.safetensors --json --top 1 photos/b.ppm
same "class $(get top.0.class)" "$(get top.0.name)"
printf '\357\273\277photos/b.ppm\n' >marked.txt
run 0 classify --model bare.safetensors --json @marked.txt
same photos/b.ppm "$(get path)"

# Models: none, a pulled one by name, another's labels, a file that is none.
run 1 classify photos/b.ppm
says err "deeper pull bvlc_googlenet"
run 1 classify --model bvlc_googlenet photos/b.ppm
says err "deeper pull bvlc_googlenet"
run 1 classify --model nosuch photos/b.ppm
says err "nosuch"
mkdir -p data/deeper
cp small.safetensors data/deeper/mine.safetensors
run 0 classify --model mine --json photos/b.ppm
cp small.safetensors data/deeper/bvlc_googlenet.caffemodel
run 0 classify --json photos/b.ppm
printf 'a1 first\na2 second\na3 third\na4 fourth\na5 fifth\n' >mylabels
run 0 classify $model --labels mylabels --json --top 1 photos/b.ppm
get top.0.id | grep -q '^a[1-5]$' || fail "labels"
run 1 classify $model --labels list photos/b.ppm
run 1 classify --model text.jpg photos/b.ppm
lines err 1
says err text.jpg

# The paper's crops, combined in three ways; a sheet of them; pictures smaller than a crop are
# enlarged.
run 0 classify $model --json --top 1 --crops 144 photos/b.ppm

for rule in max geometric; do
    run 0 classify $model --json --top 1 --crops 144 --combine $rule photos/b.ppm
done
run 0 classify $model --crops 144 --crop-sheet sheet.png photos/b.ppm
says out sheet.png 144
[ -s sheet.png ] || fail "no sheet"
run 0 classify $model --json --top 1 sheet.png
run 0 classify $model --crops 10 --crop-sheet sheet.png --json photos/b.ppm
same "sheet.png	10" "$(get crop_sheet crops)"
run 2 classify $model --crop-sheet sheet.png photos/b.ppm photos/b.ppm
run 1 classify $model --crop-sheet sheet.png nosuch.ppm
lines err 1
run 1 classify $model --crop-sheet nofolder/sheet.png photos/b.ppm
lines err 1

# Lost output ends the work.
ran="classify > /dev/full"
"$program" classify $model --quiet photos >/dev/full 2>err
same 1 $?
says err "standard output"
lines err 1
# The same while the list is still open: the end does not wait for the list.
ran="classify - > /dev/full"
"$program" classify $model - <slow >/dev/full 2>err &
id=$!
exec 3>slow
echo photos/b.ppm >&3
tries=0
while kill -0 $id 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || fail "lost output does not end the work"
    sleep 0.1
done
wait $id
same 1 $?
exec 3>&-
lines err 1
exit 0
