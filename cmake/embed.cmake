# SPDX-License-Identifier: Apache-2.0
# Run as a script: writes OUT, a source file that holds the texts of the catalogue, so that the binary needs no files beside it.
# cmake -DFOLDER=catalog -DOUT=FILE -P embed.cmake
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*.yaml)
list(SORT files)
set(text "// Written by cmake/embed.cmake from catalog/.\n#include \"policy/builtin.h\"\n\n")
string(APPEND text "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\nnamespace weir::policy {\nnamespace {\n\n")
string(APPEND text "constexpr BuiltinFile kFiles[] = {\n")
foreach(file ${files})
  # Brackets and semicolons mean something to a list of CMake, so the text is never treated as one.
  file(READ ${FOLDER}/${file} content)
  string(APPEND text "    {\"${file}\", R\"weir-text(${content})weir-text\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n\nstd::span<const BuiltinFile> builtin_files() { return kFiles; }\n\n}  // namespace weir::policy\n")
file(WRITE ${OUT} "${text}")
