# The network's table, with the figures that follow from its definition (docs/GOOGLENET.md).
. "${0%/*}/common.sh"

run 0 summary --arch googlenet --json
lines out 1
same "6998552 13378280 1582671872" "$(get parameters parameters_with_heads multiply_adds | tr '\t' ' ')"
run 0 summary
says out "6,998,552" "13,378,280" "1,582,671,872"
# row TEXT...: a line of out is these words.
row() {
    sed -E 's/ +/ /g' out | grep -Fxq -- "$*" || fail "row $*"
}
# conv2: a reduction of 64 and 192 windows of 3x3; inception_4e as the paper's row; two heads.
row conv1 conv 7x7/2 112x112x64 1 9.47K 118M
row conv2 conv 3x3/1 56x56x192 2 64 192 115K 360M
row inception_4e inception 14x14x832 2 256 160 320 32 128 128 868K 170M
row loss1 head 1x1x1000 3 3.19M 4.17M
says out "22 layers deep" "with heads"
# What a row says follows from the graph. The factored 7x7 is one layer with the window that the
# paper prints; the maps that are layers of their own in LeNet-5 are one row; a depth without modules
# that bear heads has none, whatever was asked for.
run 0 summary --arch googlenet:stem=separable
row conv1 conv 7x7/2 112x112x64 1 2.78K 34.0M
says out "22 layers deep"
run 0 summary --arch lenet5:form=published --size 28 --classes 10
row C1 conv 5x5/1 28x28x6 1 156 118K
row S2 avg 2x2/2 14x14x6 1 12 1.18K
row C3 conv 5x5/1 10x10x16 1 1.52K 150K
row S4 avg 2x2/2 5x5x16 1 32 400
same 9 "$(sed '/^$/q' out | grep -c .)"
says out "7 layers deep"
for arch in googlenet:depth=10 googlenet:depth=10,aux=1; do
    run 0 summary --arch $arch --json
    case $(get options) in *aux=0*depth=10*) ;; *) fail "heads of a network that has none" ;; esac
    same "10 3800408 3800408" "$(get depth parameters parameters_with_heads | tr '\t' ' ')"
done
run 0 summary --arch googlenet:depth=16 --json
same 16 "$(get depth)"
run 0 summary --arch googlenet:branch5=3x3
row inception_3a inception 28x28x256 2 64 96 128 16 32 32 156K 122M
run 0 summary --arch googlenet:module=naive
row inception_3a inception 28x28x416 1 64 128 32 387K 303M
run 0 bench --train --arch googlenet:stem=small,width=0.0625 --size 32 --seconds 0 --json
case $(get options) in *aux=1*) ;; *) fail "the heads that were timed" ;; esac
for arch in googlenet googlenet:width=0.5 alexnet vgg16 nin lenet5:form=published; do
    for way in "" --layers; do
        run 0 summary --arch $arch $way
        same "" "$(awk 'length > 80' out)"
    done
done
run 0 summary --arch googlenet
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
row conv1 conv 11x11/4 54x54x96 1 34.9K 102M
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
