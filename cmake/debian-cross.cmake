# A toolchain file for Debian's cross compilers, whose programs qemu-user runs:
#
#   cmake -DCMAKE_TOOLCHAIN_FILE=cmake/debian-cross.cmake -DFILCH_CROSS=aarch64 ...
#
# FILCH_CROSS: aarch64 or riscv64.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FILCH_CROSS)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${FILCH_CROSS})
set(CMAKE_C_COMPILER ${FILCH_CROSS}-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${FILCH_CROSS} -L /usr/${FILCH_CROSS}-linux-gnu)
set(CMAKE_FIND_ROOT_PATH /usr/${FILCH_CROSS}-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
