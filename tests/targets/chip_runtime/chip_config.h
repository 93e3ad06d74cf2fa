// The port's configuration, then what only makes sense behind it.

#include "mpconfigport.h"
#include "chip_pool.h"

#undef MP_PLAT_ALLOC_EXEC
#undef MP_PLAT_FREE_EXEC
#define MP_PLAT_ALLOC_EXEC(length, code, size) \
    do { *(code) = chip_pool_alloc_code(length); *(size) = (length); } while (0)
#define MP_PLAT_FREE_EXEC(code, size)
#define MP_PLAT_COMMIT_EXEC(code, length, relocations) \
    chip_pool_commit_code(code, length, relocations)

// Used by gc_try_add_heap() alone, whose local variables these are: the first heap area isn't
// the chip's and mustn't count when the heap's size is doubled.
#define MP_PLAT_ALLOC_HEAP(size) chip_pool_add_area(&(size), needed, avail)
#define MP_PLAT_FREE_HEAP(area) chip_pool_free(area)
