"""Stage 3: from features to weights. The teacher, the float network and the int8 one."""
