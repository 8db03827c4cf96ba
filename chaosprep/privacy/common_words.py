"""Words that tell nobody: what stands in a name's place, and what folders of images are called.

A part of a person's name may be one of them (May, Dixon, Long). Alone it is then no proof:
docs/layouts.md says what is not found for that.
"""

from unicodedata import normalize

from chaosprep.known import KNOWN, SERIES

# What anonymisers and forms put in the place of a name or number, letters and digits only.
_PLACEHOLDERS = """
anon anonym anonymous anonymized anonymised anonymize anonymise anonymisiert anonyme anonimo
anonymousid anonymouspatient anonymizedpatient anonymisedpatient anonpatient patientanonymous
patientanonymized patientanon anonymousname anonymizedname deid deident deidentified
deidentifiedpatient unidentified unknown unknownpatient patientunknown unk unbekannt inconnu
desconocido undefined unnamed unspecified notspecified notavailable notapplicable notprovided
nodata none null nil nan na noname nonamegiven nameless noid nopatientid nopatientname removed
deleted erased redacted blank empty cleared masked hidden confidential private replaced default
dummy sample example test testpatient patienttest testtest patient patientid patientname patname
patid pat subject subjectid subjectname case name id firstname lastname lastnamefirstname
familyname givenname nonegiven notknown withheld pseudonym pseudonymized pseudonymised
anonimizado anonimizzato geanonimiseerd аноним неизвестно 匿名 無名 未知 未詳 不明 患者 익명
"""
# What folders, series, labels and files of images are called.
_FIELD = """
abdomen abdominal adc adrenal anat anatomy angio aorta aortic arm arterial artery atlas axial bile
biliary bladder blood body bone bowel brain brainstem breast bronchus carcinoma cardiac cartilage
cavity cerebellum cerebral cerebrum cervical chest colon coronary cord cortex cranial cyst disc
disk duct duodenum edema esophagus eye fat femur fluid foot gallbladder gland hand head heart
hepatic hip humerus ileum intestine iliac jejunum joint kidney kidneys knee larynx leg lesion
lesions liver livers lobe lumbar lung lungs lymph mandible matter medulla meniscus metastasis
muscle myocardium neck nerve node nodes nodule oesophagus oedema optic orbit organ organs ovary
pancreas pelvis pelvic perfusion pituitary plaque portal prostate pulmonary rectum renal rib ribs
sacrum shoulder sinus skin skull spine spinal spleen sternum stomach testis thalamus thoracic
thorax thyroid tibia tissue tongue trachea tumor tumour tumors ulna uterus vagina vascular vein
veins vena venous cava ventricle vertebra vertebrae vessel vessels wrist leber niere nieren milz
lunge herz hirn kopf foie rate rein coeur higado rinon pulmon cerebro

acquisition acute adult age ankle annotation annotations annotated apparent arms array average
background ball baseline batch bids big binary block breath breathhold bold bottom box calibration
cat center centre channel chronic class clean clinic clinical coil cohort collection color colour
comparison complete contour contours contrast contrasts control controls convert converted copy
cor coronal corr corrected count crop cropped cross cube cut dark data dataset date day days deep
delay delayed derived des diagnosis diagonal dicom dicoms diff diffusion dir direct disease dixon
done dose double download dual dwi dynamic dynamics early echo echoes electric end enhanced epi
equilibrium error est even exam examination exams excl exp export exported extra face fast fatsat
fed fem female field fiesta fig file files filter filtered final first fit flair flash flat flip
flow fold folds follow followup format found four frame frames free front full fusion gad gate
gated general good grad gradient grappa gray grey grid ground group groups gt haste healthy held
help high hitachi hold hospital human image images imaging img imgs import incl index infant info
inner input institute inversion invert inphase inspiration expiration inter iso isotropic item job
junk key kind lab label labeled labelled labels large last late lat lateral lava layer left length
level levels limit line list local long longitudinal loop low lower magnetic magnitude main major
male man manual map maps marker mask masked masks max mean med medial medical medium mid middle
min minor mip misc mix mixed mod modality model month months motion mpr mprage mri multi navigator
native near neg negative new next nifti night noise non normal normalized note number obj oblique
odd off old one online opp opposed orig original other out outer outphase output over pair pairs
parallel part parts pass path patients pen phantom phase phases philips phillips physio pic
picture pictures pilot pixel plain plane plan png point points pool pos position positive post
posterior pre pred predicted prediction predictions predict preop postop prep primary prime prob
process processed prod program project prone propeller prospective protocol proton pulse quality
quantitative query quiet radial radiology random range rater ratio raw reader read real recon
reconstruction record recovery red reduced reference reformat region register registered rel relax
rep repeat report res resampled rescan research resolution rest result results retro retrospective
return rev review reviewed right roi rois root rot round routine run runs sag sagittal same
samples save saved scale scan scanner scanning scans scout screen sec second segment segmentation
segmentations segmented segs seg select selected sense seq sequence sequences ser serial series
session sessions set sets shape shim shot short siemens side sign signal single site sites size
skip slab slice slices slow small smooth soft solid source spair special spectral speed spin spir
split spoiled stack stage standard star start state static station std stir stop store strip
structure structures studies study sub subset subtracted subtraction sum supine supp suppressed
susceptibility swi system table tag target task team technique temp temporal term tesla third
three thick thickness thin tiff time timepoint tof top toshiba total tra trace track train
training transverse trial trigger triggered true truth turbo two type unit unlabeled unlabelled
upper use used user val valid validation value values vendor verify version vibe view vis visit
asym avec con costal cropping isolation jacobian mapping minute nlin processing projection resting
sans screening senza serie serien sin summary
visits vol volume volumes voxel water wave weight weighted weightings white whole wide width
window with without woman women men work world year years young zero zip zoom

apr april aug august dec december feb february jan january jul july jun june mar march may nov
november oct october sep sept september januar februar mai juni juli oktober dezember monday
tuesday wednesday thursday friday saturday sunday

aus bei bin das dei del della den der die dos ibn las les los van vom von und the and for from mit
not ac ap ax br ce cl cm cr cs ct de dr dti dx ed em et ex fa fe ff fl fs ge gre ha he hr hu ii in
ip iii iv ir is la le lr lt lv md mg mm mr mrt no nr of on op os pa pc pd pe pet pt pv rf rt rv se
si sl sn st ste sv te ti to tr ts tse us vd ve vf vi vs wb we wk wt xa xr yr
"""
PLACEHOLDERS = frozenset(normalize("NFKD", _PLACEHOLDERS).split())
"""In NFKD, in small letters."""

_NAMESAKES = """
apr april art august case cross dec dixon feb field gray grey jan jul july jun june long male mar
march max may min pat philips phillips sample short small star van young
"""
NAMESAKES = frozenset(_NAMESAKES.split())
"""Those of them that people are called too, in small letters."""
_PARTICLES = """
al da das de del della den der des di do dos du el la las le les los san st ten ter van von zu
"""
PARTICLES = frozenset(_PARTICLES.split())
"""Small words in many people's names, in small letters."""

_SETS = (*KNOWN, *(part for name in SERIES for part in name.split("-")))
FIELD = frozenset((*_FIELD.split(), *_SETS))
"""In small letters."""
