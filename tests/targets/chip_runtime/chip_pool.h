// The internal memory of an ESP32-S3 as ESP-IDF's heap hands it out, for MicroPython on i386.
//
// Modelled: regions of given sizes, each with its uses; the GC heap's first area and its growth,
// executable code and DMA buffers all taken from them, first fitting region first; 4 bytes of
// overhead for a block; the largest free block rounded down to its size class, as the allocator
// (TLSF) tells it; words, GC blocks and objects of the chip's sizes.
// Executable code counts as what it is on the chip: BLUERING_POOL_CODE lists those sizes.
// Not modelled: what ESP-IDF's own tasks and drivers take and free later, the choice that TLSF
// makes among free blocks that fit (here the smallest), the C stack's 16 KB (functions of the unix
// port keep whole paths there), PSRAM's time.
// What the computer needs beside (stand-ins for hardware) lies in a heap area of its own, which
// begin() closes.
//
// The environment says, in bytes:
//   BLUERING_POOL        regions, "SIZE:USES,...", of the uses h (heap), x (code), d (DMA)
//   BLUERING_POOL_HEAP   the first heap area
//   BLUERING_POOL_PROMPT what is in use when the prompt appears
//   BLUERING_POOL_CODE   a file, a line for each piece of code: its FNV-1a hash and length here
//                        (hexadecimal), its length on the chip (decimal), in the order of loading

#ifndef CHIP_POOL_H
#define CHIP_POOL_H

#include <stddef.h>

void *chip_pool_alloc_code(size_t length);
void *chip_pool_commit_code(void *code, size_t length, void *relocations);
void *chip_pool_add_area(size_t *size, size_t needed, size_t available);
void chip_pool_free(void *block);

#endif
