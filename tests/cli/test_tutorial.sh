# The commands of docs/TUTORIAL.md, on a few made-up pictures. A program with a sanitizer inside cannot be linked into the tutorial's
# plain C program: there it is skipped.
ldd "$1" | grep -q 'lib[a-z]*san\.so' && exit 77
exec bash "$SOURCE/scripts/run-tutorial" "$HELPERS"
