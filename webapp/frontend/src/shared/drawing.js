import { layoutProcess } from 'bpmn-auto-layout';

/** The file with a drawing. One written by hand or by a program may lack it, though its process is complete. */
export async function withDrawing(xml) {
  return /<(\w+:)?BPMNShape\b/.test(xml) ? xml : layoutProcess(xml);
}
