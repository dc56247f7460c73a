export async function bundle(folder) { return []; }
