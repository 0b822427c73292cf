/** The members of a predict request. A request has exactly one of them. */
export const INPUT_KEYS = ['features', 'instances', 'image', 'text', 'inputs'] as const;
