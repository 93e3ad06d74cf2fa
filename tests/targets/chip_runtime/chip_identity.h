// For py/modsys.c: sys.implementation says what the firmware asks before it uses native kernels.

#include "py/persistentcode.h"

#undef MPY_FILE_HEADER_INT
#define MPY_FILE_HEADER_INT (MPY_VERSION \
    | (MPY_FEATURE_ENCODE_SUB_VERSION(MPY_SUB_VERSION) \
        | MPY_FEATURE_ENCODE_ARCH(MP_NATIVE_ARCH_XTENSAWIN)) << 8)

#undef MICROPY_BANNER_MACHINE
#define MICROPY_BANNER_MACHINE "model of the memory of an ESP32S3"
