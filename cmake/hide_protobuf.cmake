# Run after protoc-c, with PROTO and HEADER: puts in front of a generated header what renames its functions and descriptors, onnx__... to
# dp_onnx__..., wherever the header is included. A program that links libdeeper.a may have generated
# code of its own for the same messages, and hidden visibility does not keep two archives apart.
file(READ ${PROTO} proto)
string(REGEX MATCH "\npackage ([a-z_]+);" unused "${proto}")
set(package ${CMAKE_MATCH_1})
file(READ ${HEADER} header)
string(REGEX MATCHALL "${package}__[a-z0-9_]+" names "${header}")
list(REMOVE_DUPLICATES names)
list(TRANSFORM names REPLACE "(.+)" "#define \\1 dp_\\1\n" OUTPUT_VARIABLE renamed)
string(JOIN "" renamed ${renamed})
file(WRITE ${HEADER} "${renamed}${header}")
