# MicroPython's unix port with the memory of an ESP32-S3. See chip_pool.h for what it models.
FROZEN_MANIFEST =
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_THREAD = 0
MICROPY_VFS_FAT = 0
MICROPY_VFS_LFS1 = 0
MICROPY_VFS_LFS2 = 0

# The last word on how the port is configured, and how this runtime introduces itself.
CFLAGS_EXTRA += -DMP_CONFIGFILE='"chip_config.h"'
$(BUILD)/py/modsys.o: CFLAGS += -include chip_identity.h
