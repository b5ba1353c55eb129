# The network's table, with the figures that follow from its definition (docs/GOOGLENET.md).
. "${0%/*}/common.sh"

run 0 summary --arch googlenet --json
lines out 1
same "6998552 13378280 1582671872" "$(get parameters parameters_with_heads multiply_adds | tr '\t' ' ')"
run 0 summary
says out "6,998,552" "13,378,280" "1,582,671,872"
# conv2: a reduction of 64 and 192 windows of 3x3; inception_4e as the paper's row; two heads.
grep -Eq '^conv2 .* 3x3/1 .* 56x56x192 +2 +64 +192 ' out || fail "row conv2"
grep -Eq '^inception_4e +inception +14x14x832 +2 +256 +160 +320 +32 +128 +128 ' out || fail "row inception_4e"
grep -Eq '^loss1 +head' out || fail "row loss1"
run 0 summary --layers
says out inception_5b/5x5_reduce loss3/classifier
# The paper's own stem: 1.50 G multiply-adds.
run 0 summary --arch googlenet:stem=separable --json
case $(get multiply_adds) in 149[0-9]??????* | 150[0-9]??????*) ;; *) fail "separable stem" ;; esac
run 0 summary --arch googlenet --classes 5 --size 128 --json
same "5 128" "$(get classes image_size | tr '\t' ' ')"
run 0 summary --list --json
says out '"architecture":"googlenet"'
# Published counts, each with its source in docs/NETWORKS.md.
while read -r arch size classes parameters; do
    run 0 summary --arch "$arch" --size "$size" --classes "$classes" --json
    same "$parameters" "$(get parameters)"
done <<END
alexnet 227 1000 60965224
vgg16 224 1000 138357544
nin 224 1000 7595176
lenet5 32 10 61706
END
run 0 summary --arch alexnet
grep -Eq '^conv1 +convolution +11x11/4 +[0-9x]+ +1 +34\.9K' out || fail "widths of Inception modules in a plain layer's row"
says out conv5 fc8 60,965,224
run 2 summary --arch nosuchnet
lines err 1
says err nosuchnet vgg16
run 1 summary --arch alexnet --size 28
lines err 1
says err "pictures of 28 pixels are too small" stem=small
run 2 summary --arch alexnet:form=nosuch
says err "grouped|merged"
run 2 summary --arch googlenet:norm=nosuch
run 2 summary --arch googlenet:nosuch=1
run 2 summary --model x --size 100
run 2 summary --model x --arch googlenet
run 1 summary --model nosuch.safetensors
lines err 1
says err nosuch.safetensors
exit 0
