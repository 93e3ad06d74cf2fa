// See chip_pool.h.

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "py/gc.h"
#include "py/mperrno.h"
#include "py/persistentcode.h"
#include "py/runtime.h"

#define OVERHEAD 4 // a block's header
#define SMALLEST 12 // bytes that a block can hold
#define CODE_NODE 4 // the ESP32 port chains its pieces of code
#define MAX_REGIONS 4
#define MAX_BLOCKS 1024
#define MAX_CODES 1024
#define ADDRESS 0x3c000000 // as on the chip, addresses are small integers: a kernel's are no objects
#define CODE_SPACE (4 << 20)

enum { FOR_HEAP = 1, FOR_CODE = 2, FOR_DMA = 4 };

typedef struct {
    size_t start; // of what the block can hold, from the region's memory on
    size_t size;
    bool used;
} block_t;

typedef struct {
    uint8_t *memory;
    unsigned uses;
    unsigned classes_log2; // size classes between two powers of two
    size_t count;
    block_t blocks[MAX_BLOCKS]; // by address, without holes
} region_t;

typedef struct {
    uint32_t hash;
    size_t length;
    size_t on_chip;
    bool loaded;
} code_size_t;

typedef struct _loading_t {
    void *on_chip; // in the GC heap
    uint8_t code[];
} loading_t;

static region_t regions[MAX_REGIONS];
static size_t n_regions;
static code_size_t codes[MAX_CODES];
static size_t n_codes;
static uint8_t *code_space;
static size_t code_used; // of the computer's memory
static size_t code_on_chip;
static size_t outside_total, outside_used; // of the heap area that isn't the chip's
static bool begun;

static void die(const char *what) {
    fprintf(stderr, "chip_pool: %s\n", what);
    exit(3);
}

// Regions and blocks

static void add_region(size_t size, unsigned uses) {
    if (n_regions == MAX_REGIONS) {
        die("too many regions");
    }
    region_t *region = &regions[n_regions++];
    static uintptr_t address = ADDRESS;
    region->memory = mmap((void *)address, size + OVERHEAD, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (region->memory == MAP_FAILED) {
        die("no memory for a region");
    }
    address += (size + OVERHEAD + 0xffff) & ~(size_t)0xffff;
    region->uses = uses;
    region->classes_log2 = size < 16384 ? 3 : size < 262144 ? 4 : 5;
    region->blocks[0] = (block_t) {OVERHEAD, size, false};
    region->count = 1;
}

static void insert(region_t *region, size_t index, block_t block) {
    if (region->count == MAX_BLOCKS) {
        die("too many blocks");
    }
    memmove(&region->blocks[index + 1], &region->blocks[index],
        (region->count - index) * sizeof(block_t));
    region->blocks[index] = block;
    region->count++;
}

static void remove_block(region_t *region, size_t index) {
    region->count--;
    memmove(&region->blocks[index], &region->blocks[index + 1],
        (region->count - index) * sizeof(block_t));
}

static void *allocate_in(region_t *region, size_t size) {
    block_t *best = NULL;
    for (size_t i = 0; i < region->count; i++) {
        block_t *block = &region->blocks[i];
        if (!block->used && block->size >= size && (best == NULL || block->size < best->size)) {
            best = block;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    best->used = true;
    if (best->size - size >= OVERHEAD + SMALLEST) {
        block_t rest = {best->start + size + OVERHEAD, best->size - size - OVERHEAD, false};
        best->size = size;
        insert(region, best - region->blocks + 1, rest);
    }
    return region->memory + best->start;
}

static void *allocate(size_t size, unsigned use) {
    size = MAX((size + 3) & ~(size_t)3, SMALLEST);
    for (size_t i = 0; i < n_regions; i++) {
        if (regions[i].uses & use) {
            void *memory = allocate_in(&regions[i], size);
            if (memory != NULL) {
                return memory;
            }
        }
    }
    return NULL;
}

static bool join(region_t *region, size_t left) {
    if (left + 1 >= region->count || region->blocks[left].used || region->blocks[left + 1].used) {
        return false;
    }
    region->blocks[left].size += OVERHEAD + region->blocks[left + 1].size;
    remove_block(region, left + 1);
    return true;
}

void chip_pool_free(void *memory) {
    for (region_t *region = regions; region < regions + n_regions; region++) {
        for (size_t i = 0; i < region->count; i++) {
            block_t *block = &region->blocks[i];
            if (region->memory + block->start == memory && block->used) {
                block->used = false;
                join(region, i);
                if (i > 0) {
                    join(region, i - 1);
                }
                return;
            }
        }
    }
    die("freed what isn't allocated");
}

static size_t rounded_down(size_t size, unsigned classes_log2) {
    if (size < 256) {
        return size;
    }
    unsigned power = 31 - __builtin_clz((unsigned)size);
    return size & ~(((size_t)1 << (power - classes_log2)) - 1);
}

static size_t largest(unsigned use) {
    size_t most = 0;
    for (region_t *region = regions; region < regions + n_regions; region++) {
        if (region->uses & use) {
            for (size_t i = 0; i < region->count; i++) {
                if (!region->blocks[i].used) {
                    size_t told = rounded_down(region->blocks[i].size, region->classes_log2);
                    most = MAX(most, told);
                }
            }
        }
    }
    return most;
}

static size_t all_free(unsigned use) {
    size_t sum = 0;
    for (region_t *region = regions; region < regions + n_regions; region++) {
        if (region->uses & use) {
            for (size_t i = 0; i < region->count; i++) {
                sum += region->blocks[i].used ? 0 : region->blocks[i].size;
            }
        }
    }
    return sum;
}

// The GC heap

size_t gc_get_max_new_split(void) {
    return begun ? largest(FOR_HEAP) : 0;
}

void *chip_pool_add_area(size_t *size, size_t needed, size_t available) {
    // As in gc_try_add_heap(), of the chip's areas alone.
    size_t atbs = 0;
    for (mp_state_mem_area_t *area = MP_STATE_MEM(area).next; area != NULL; area = area->next) {
        atbs += area->gc_alloc_table_byte_len;
    }
    size_t total = atbs + atbs / 2 + atbs * 4 * MICROPY_BYTES_PER_GC_BLOCK
        + 1 + sizeof(mp_state_mem_area_t);
    total = (total + MICROPY_BYTES_PER_GC_BLOCK - 1) & ~(size_t)(MICROPY_BYTES_PER_GC_BLOCK - 1);
    *size = MIN(available, MAX(total, needed));
    return allocate(*size, FOR_HEAP);
}

// Executable code

static uint32_t fnv1a(const uint8_t *bytes, size_t length) {
    uint32_t hash = 2166136261u;
    while (length--) {
        hash = (hash ^ *bytes++) * 16777619u;
    }
    return hash;
}

// What is the same here may differ on the chip: it is loaded in the order of the list.
static code_size_t *next_code(size_t length) {
    for (size_t i = 0; i < n_codes; i++) {
        if (codes[i].length == length && !codes[i].loaded) {
            return &codes[i];
        }
    }
    return NULL;
}

static size_t take_length_on_chip(const uint8_t *code, size_t length) {
    uint32_t hash = fnv1a(code, length);
    for (size_t i = 0; i < n_codes; i++) {
        if (codes[i].hash == hash && codes[i].length == length && !codes[i].loaded) {
            codes[i].loaded = true;
            return codes[i].on_chip;
        }
    }
    return length;
}

// Code is read into the GC heap and copied from there. Here it is read elsewhere, and the heap
// holds what it would be on the chip.
void *chip_pool_alloc_code(size_t length) {
    code_size_t *expected = next_code(length);
    loading_t *loading = malloc(sizeof(loading_t) + length);
    if (loading == NULL) {
        die("no memory for code");
    }
    loading->on_chip = m_new(byte, expected == NULL ? length : expected->on_chip);
    return loading->code;
}

void *chip_pool_commit_code(void *code, size_t length, void *relocations) {
    loading_t *loading = (loading_t *)((uint8_t *)code - offsetof(loading_t, code));
    if (begun) {
        size_t on_chip = CODE_NODE + ((take_length_on_chip(code, length) + 3) & ~(size_t)3);
        if (allocate(on_chip, FOR_CODE) == NULL) {
            free(loading);
            m_malloc_fail(on_chip);
        }
        code_on_chip += on_chip;
    }
    if (code_space == NULL) {
        code_space = mmap(NULL, CODE_SPACE, PROT_READ | PROT_WRITE | PROT_EXEC,
            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (code_space == MAP_FAILED) {
            die("no executable memory");
        }
    }
    uint8_t *place = code_space + code_used;
    code_used += (length + 15) & ~(size_t)15;
    if (code_used > CODE_SPACE) {
        die("too much code");
    }
    if (relocations != NULL) {
        mp_native_relocate(relocations, code, (uintptr_t)place);
    }
    memcpy(place, code, length);
    free(loading);
    return place;
}

// The module

static size_t number(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoul(text, NULL, 0);
}

static void read_regions(const char *text) {
    while (*text) {
        char *end;
        size_t size = strtoul(text, &end, 0);
        unsigned uses = 0;
        for (text = end + (*end == ':'); *text && *text != ','; text++) {
            uses |= *text == 'h' ? FOR_HEAP : *text == 'x' ? FOR_CODE : *text == 'd' ? FOR_DMA : 0;
        }
        text += *text == ',';
        if (size == 0 || uses == 0) {
            die("BLUERING_POOL isn't SIZE:USES,...");
        }
        add_region(size, uses);
    }
}

static void read_codes(const char *path) {
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    if (path != NULL && file == NULL) {
        die("BLUERING_POOL_CODE can't be read");
    }
    unsigned hash, length, on_chip;
    while (file != NULL && fscanf(file, "%x %x %u", &hash, &length, &on_chip) == 3) {
        if (n_codes == MAX_CODES) {
            die("too many pieces of code");
        }
        codes[n_codes++] = (code_size_t) {hash, length, on_chip, false};
    }
    if (file != NULL) {
        fclose(file);
    }
}

MP_REGISTER_ROOT_POINTER(void *chip_pool_outside);
MP_REGISTER_ROOT_POINTER(void *chip_pool_prompt);

// Fill the area in which the stand-ins lie, so that nothing of the application finds room there.
static void close_outside(void) {
    gc_info_t info;
    for (;;) {
        gc_info(&info);
        if (info.max_free == 0) {
            outside_total = info.total;
            outside_used = info.used;
            return;
        }
        void **block = gc_alloc(info.max_free * MICROPY_BYTES_PER_GC_BLOCK, 0);
        if (block == NULL) {
            die("the area outside can't be filled");
        }
        memset(block, 0, info.max_free * MICROPY_BYTES_PER_GC_BLOCK);
        block[0] = MP_STATE_VM(chip_pool_outside);
        MP_STATE_VM(chip_pool_outside) = block;
    }
}

// Names of the application are kept in tables that double; begin with the first table's size.
static void begin_names(void) {
    size_t entries = 10;
    size_t each = sizeof(char *) + sizeof(qstr_len_t)
        + (MICROPY_QSTR_BYTES_IN_HASH ? sizeof(uint16_t) : 0);
    qstr_pool_t *pool = m_malloc(sizeof(qstr_pool_t) + entries * each);
    const qstr_pool_t *last = MP_STATE_VM(last_pool);
    memset(pool, 0, sizeof(*pool));
    #if MICROPY_QSTR_BYTES_IN_HASH
    pool->hashes = (qstr_hash_t *)(pool->qstrs + entries);
    pool->lengths = (qstr_len_t *)(pool->hashes + entries);
    #else
    pool->lengths = (qstr_len_t *)(pool->qstrs + entries);
    #endif
    pool->prev = last;
    pool->total_prev_len = last->total_prev_len + last->len;
    pool->alloc = entries;
    MP_STATE_VM(last_pool) = pool;
    MP_STATE_VM(qstr_last_chunk) = NULL;
}

static mp_obj_t chip_pool_begin(void) {
    const char *text = getenv("BLUERING_POOL");
    if (begun || text == NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("begun already, or no BLUERING_POOL"));
    }
    read_regions(text);
    read_codes(getenv("BLUERING_POOL_CODE"));
    begin_names();
    gc_collect();
    close_outside();
    // On the chip what describes the first area lies elsewhere.
    size_t first = number("BLUERING_POOL_HEAP", 65536) + sizeof(mp_state_mem_area_t);
    void *heap = allocate(first, FOR_HEAP);
    if (heap == NULL) {
        die("no room for the first heap area");
    }
    gc_add(heap, (uint8_t *)heap + first);
    begun = true;
    MP_STATE_VM(chip_pool_prompt) = m_malloc(number("BLUERING_POOL_PROMPT", 16));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(chip_pool_begin_obj, chip_pool_begin);

// A handle is a small integer, so that keeping it takes nothing of the heap.
#define HANDLE_REGION 22 // bits below it count words

static mp_obj_t handle_of(void *memory) {
    for (size_t i = 0; i < n_regions; i++) {
        size_t offset = (uint8_t *)memory - regions[i].memory;
        if (offset < (size_t)4 << HANDLE_REGION && (uint8_t *)memory > regions[i].memory) {
            return MP_OBJ_NEW_SMALL_INT(i << HANDLE_REGION | offset / 4);
        }
    }
    die("no region holds it");
    return mp_const_none;
}

static void *memory_of(mp_obj_t handle) {
    size_t number = mp_obj_get_int(handle);
    size_t region = number >> HANDLE_REGION;
    if (region >= n_regions) {
        mp_raise_ValueError(NULL);
    }
    return regions[region].memory + 4 * (number & ((1 << HANDLE_REGION) - 1));
}

static mp_obj_t chip_pool_dma_alloc(mp_obj_t size) {
    void *memory = allocate(mp_obj_get_int(size), FOR_DMA);
    if (memory == NULL) {
        mp_obj_t arguments[] = {
            MP_OBJ_NEW_SMALL_INT(MP_ENOMEM), MP_OBJ_NEW_QSTR(MP_QSTR_ESP_ERR_NO_MEM)
        };
        nlr_raise(mp_obj_exception_make_new(&mp_type_OSError, 2, 0, arguments));
    }
    return handle_of(memory);
}
static MP_DEFINE_CONST_FUN_OBJ_1(chip_pool_dma_alloc_obj, chip_pool_dma_alloc);

static mp_obj_t chip_pool_dma_free(mp_obj_t handle) {
    chip_pool_free(memory_of(handle));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(chip_pool_dma_free_obj, chip_pool_dma_free);

static mp_obj_t chip_pool_free_bytes(void) {
    return mp_obj_new_int_from_uint(all_free(FOR_HEAP | FOR_CODE | FOR_DMA));
}
static MP_DEFINE_CONST_FUN_OBJ_0(chip_pool_free_bytes_obj, chip_pool_free_bytes);

static mp_obj_t chip_pool_largest(void) {
    return mp_obj_new_int_from_uint(largest(FOR_HEAP));
}
static MP_DEFINE_CONST_FUN_OBJ_0(chip_pool_largest_obj, chip_pool_largest);

static mp_obj_t chip_pool_exec_bytes(void) {
    return mp_obj_new_int_from_uint(code_on_chip);
}
static MP_DEFINE_CONST_FUN_OBJ_0(chip_pool_exec_bytes_obj, chip_pool_exec_bytes);

// heap() -> (bytes in use, bytes of all areas, largest free run), of the chip's areas.
static mp_obj_t chip_pool_heap(void) {
    gc_info_t info;
    gc_info(&info);
    mp_obj_t items[] = {
        mp_obj_new_int(info.used - outside_used),
        mp_obj_new_int(info.total - outside_total),
        mp_obj_new_int(info.max_free * MICROPY_BYTES_PER_GC_BLOCK),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(chip_pool_heap_obj, chip_pool_heap);

static mp_obj_t chip_pool_heap_areas(void) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (mp_state_mem_area_t *area = MP_STATE_MEM(area).next; area != NULL; area = area->next) {
        mp_obj_list_append(list, mp_obj_new_int(area->gc_pool_end - area->gc_pool_start));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_0(chip_pool_heap_areas_obj, chip_pool_heap_areas);

static const mp_rom_map_elem_t chip_pool_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_chip_pool) },
    { MP_ROM_QSTR(MP_QSTR_begin), MP_ROM_PTR(&chip_pool_begin_obj) },
    { MP_ROM_QSTR(MP_QSTR_dma_alloc), MP_ROM_PTR(&chip_pool_dma_alloc_obj) },
    { MP_ROM_QSTR(MP_QSTR_dma_free), MP_ROM_PTR(&chip_pool_dma_free_obj) },
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&chip_pool_free_bytes_obj) },
    { MP_ROM_QSTR(MP_QSTR_largest), MP_ROM_PTR(&chip_pool_largest_obj) },
    { MP_ROM_QSTR(MP_QSTR_exec_bytes), MP_ROM_PTR(&chip_pool_exec_bytes_obj) },
    { MP_ROM_QSTR(MP_QSTR_heap), MP_ROM_PTR(&chip_pool_heap_obj) },
    { MP_ROM_QSTR(MP_QSTR_heap_areas), MP_ROM_PTR(&chip_pool_heap_areas_obj) },
};
static MP_DEFINE_CONST_DICT(chip_pool_globals, chip_pool_globals_table);

const mp_obj_module_t chip_pool_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&chip_pool_globals,
};
MP_REGISTER_MODULE(MP_QSTR_chip_pool, chip_pool_module);
