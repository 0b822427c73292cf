import { describeTraining } from '../describe-training.ts';
import { counterpart, TRAINED } from './counterpart.ts';

for (const example of TRAINED) describeTraining(counterpart, example, 1e-3);
