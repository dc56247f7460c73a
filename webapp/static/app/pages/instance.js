// The page of an instance: its diagram, its questions.
import { drawDiagrams } from './diagram.js';

drawDiagrams();
