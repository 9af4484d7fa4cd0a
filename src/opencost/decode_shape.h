/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the two things apart that may stand in OpenCost's list: a map of names to allocations,
 * or an allocation itself.
 *
 * Threads: any; pure functions.
 */
#ifndef OPENCOST_DECODE_SHAPE_H
#define OPENCOST_DECODE_SHAPE_H

#include "base/attrs.h"
#include "decode_fields.h"
#include "json_reader.h"

enum set_shape { SET_IS_MAP, SET_IS_ALLOCATION };

/* Looks at the first members of the object the cursor is on, which stays where it is. The first of
 * them that tells decides; when none does, it is a map.
 *
 * A member whose value is an object that looks like an allocation tells of a map, whatever its
 * name: a namespace may be called "window" or "cpuCost". Otherwise a member that has the name and
 * the type of one of an allocation's tells of an allocation. */
bool set_shape_tell(const struct field_index *fields, struct json_reader *json,
                    enum set_shape *ret_shape) NODISCARD;

#endif
