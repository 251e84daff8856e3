# SPDX-License-Identifier: Apache-2.0
# weir_bpf(NAME SOURCE): SOURCE.bpf.c → object → skeleton. The library weir_NAME_bpf carries a header NAME.skel.h with the object in
# it, so that the program needs no file at run time. Needs clang and bpftool, not the kernel's headers or its BTF.

find_program(BPF_CLANG NAMES clang-16 clang-17 clang-18 clang-19 clang REQUIRED)
find_program(BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED)

function(weir_bpf name source)
  set(folder ${CMAKE_BINARY_DIR}/bpf)
  set(object ${folder}/${name}.bpf.o)
  set(skeleton ${folder}/${name}.skel.h)
  file(MAKE_DIRECTORY ${folder})
  # Debug information is needed for its BTF only: the rest is stripped by linking the object with itself.
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -I${CMAKE_SOURCE_DIR}
            -MD -MF ${object}.d -MT ${skeleton} -c ${CMAKE_SOURCE_DIR}/${source} -o ${object}.full
    COMMAND ${BPFTOOL} gen object ${object} ${object}.full
    COMMAND ${BPFTOOL} gen skeleton ${object} name weir_${name} > ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.new ${skeleton}
    DEPENDS ${CMAKE_SOURCE_DIR}/${source}
    DEPFILE ${object}.d
    COMMENT "Building BPF program ${name}"
    VERBATIM)
  add_custom_target(bpf_${name} DEPENDS ${skeleton})
  add_library(weir_${name}_bpf INTERFACE)
  add_dependencies(weir_${name}_bpf bpf_${name})
  target_include_directories(weir_${name}_bpf SYSTEM INTERFACE ${folder})
  target_include_directories(weir_${name}_bpf INTERFACE ${CMAKE_SOURCE_DIR})
endfunction()
